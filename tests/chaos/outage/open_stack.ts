/** A whole stack on a database that is not the test server's, and impatient enough for a test. */
import { type Stack, startStack } from "../../../local/stack.ts";
import type { FunctionsHost } from "../../../local/functions_server.ts";
import type { RunwareSandbox } from "../../../local/sandbox/runware.ts";
import type { StackOptions } from "../../../local/stack_options.ts";
import { openDatabase } from "../../../shared/db/database.ts";
import type { AppStack } from "../../support/app.ts";
import { createTestPool } from "../../support/server.ts";
import { quiet } from "../../support/sql.ts";

/** A stack with functions and the sandbox. */
export interface OpenStack extends AppStack {
  readonly functions: FunctionsHost;
  readonly sandbox: RunwareSandbox;
}

const STOP_PATIENCE_MS = 10_000;

/** Leases of seconds, so that what died comes back while a test waits. */
const IMPATIENT = {
  submit_lease_seconds: 5,
  poll_lease_seconds: 5,
  drain_lease_seconds: 5,
  poll_steps: [1],
} as const;

/**
 * Gives `work` a stack in which everything runs by itself. `directUrl` is how the test itself reaches
 * the database, past whatever is done to the stack's own way (`options.databaseUrl`).
 */
export async function withOpenStack(
  { directUrl, ...options }: StackOptions & { readonly directUrl: string },
  work: (app: OpenStack) => Promise<void>,
): Promise<void> {
  const dataDir = await Deno.makeTempDir({ prefix: "gemreel-outage-stack-" });
  globalThis.addEventListener("error", outliveTheDriver);
  const db = openDatabase(directUrl, { log: quiet, max: 5 });
  const pool = createTestPool(directUrl);
  try {
    const stack: Stack = await startStack({
      databaseUrl: directUrl,
      ...{ dataDir, port: 0, sandboxPort: 0, env: {}, quiet: true, settings: IMPATIENT },
      ...options,
    });
    try {
      const { functions, sandbox } = stack;
      if (functions === null || sandbox === null) throw new Error("Functions or sandbox missing");
      await db.query("update pgboss.queue set expire_seconds = 10 where name like '%-video'");
      const rows: AppStack["database"]["rows"] = async (text, values = []) =>
        (await pool.query(text, values)).rows;
      await work({ ...stack, functions, sandbox, db, database: { url: directUrl, pool, rows } });
    } finally {
      await stopWithin(stack, STOP_PATIENCE_MS);
    }
  } finally {
    globalThis.removeEventListener("error", outliveTheDriver);
    await pool.end();
    await db.close();
    await Deno.remove(dataDir, { recursive: true });
  }
}

/**
 * Stops the stack, and does not wait for ever: postgres.js, behind the stand-in's REST API, neither
 * settles nor closes a transaction whose connection died between two statements
 * (github.com/porsager/postgres issues 1186 and 1097). Functions and gateway are stopped before it.
 */
async function stopWithin(stack: Stack, patienceMs: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const enough = new Promise<"enough">((resolve) => {
    timer = setTimeout(() => resolve("enough"), patienceMs);
  });
  const stopped = await Promise.race([stack.stop(), enough]);
  clearTimeout(timer);
  if (stopped === "enough") await stack.sandbox?.close();
}

/**
 * The same driver throws outside of any call when it writes to a connection that is gone (pull request
 * 1155 there). On a laptop that ends the stack; hosted, PostgREST is in its place. Nothing else is let
 * pass.
 */
function outliveTheDriver(event: ErrorEvent): void {
  const error: unknown = event.error;
  if (error instanceof Error && /postgres\/src\/connection\.js/.test(error.stack ?? "")) {
    event.preventDefault();
  }
}
