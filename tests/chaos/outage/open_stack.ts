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
      await db.query("update pgboss.queue set expire_seconds = 10 where dead_letter is not null");
      const rows: AppStack["database"]["rows"] = async (text, values = []) =>
        (await pool.query(text, values)).rows;
      await work({ ...stack, functions, sandbox, db, database: { url: directUrl, pool, rows } });
    } finally {
      await stack.stop();
    }
  } finally {
    await pool.end();
    await db.close();
    await Deno.remove(dataDir, { recursive: true });
  }
}
