import { App } from "@supabase/lite";
import { createPostgresConnection } from "@supabase/lite/postgres";
import { AsyncLocalStorage } from "node:async_hooks";
import { DatabaseErrors } from "./database_errors.ts";
import type { StackKeys } from "./keys.ts";

/** The REST and auth APIs of Supabase on a Postgres, without a port of their own. */
export interface SupabaseApis {
  /** Answers /rest/v1 and /auth/v1. Wants the keys below and HS256 tokens: the gateway translates. */
  fetch(request: Request): Promise<Response>;
  close(): Promise<void>;
}

/** API keys between the gateway and these APIs; never seen outside. */
export const INNER_KEYS = {
  publishable: "sb_publishable_inner",
  secret: "sb_secret_inner",
} as const;

/** What the APIs are made from. */
interface ApiOptions {
  readonly databaseUrl: string;
  readonly keys: StackKeys;
  readonly log: (line: string) => void;
}

/** No call takes this long, unless its connection died under it. Milliseconds. */
const PATIENCE_MS = 15_000;
/** Connections that are alive close within a moment; the others are cut off then. */
const CLOSE_MS = 2_000;
/** For so long after a change of connections, what the driver throws is the old ones' last word. */
const LAST_WORDS_MS = CLOSE_MS + 1_000;

/**
 * Serves the database at `databaseUrl`. What the APIs print goes to `log` instead of the console.
 *
 * Where Postgres dies, the library's driver never settles a transaction whose connection is gone, and
 * throws outside of any call when it writes to one (postgres.js 3.4.9, issues 1186 and 1208 at
 * github.com/porsager/postgres). So calls have a time limit, and after either everything is opened anew.
 * The old connections may throw once more when they are cut off: were the new ones given up for that,
 * theirs would follow, and so on for as long as there are calls.
 */
export function createSupabaseApis(options: ApiOptions): SupabaseApis {
  let apis = openApis(options);
  let broken = Promise.withResolvers<void>();
  let reopenedAt = -Infinity;
  const reopen = () => {
    reopenedAt = performance.now();
    void apis.close();
    apis = openApis(options);
    broken.resolve();
    broken = Promise.withResolvers();
  };
  const onError = (event: ErrorEvent) => {
    if (!isDriverFault(event.error)) return;
    event.preventDefault();
    options.log(`The REST API lost its database: ${event.message}`);
    if (performance.now() - reopenedAt > LAST_WORDS_MS) reopen();
  };
  globalThis.addEventListener("error", onError);
  return {
    async fetch(request) {
      const asked = apis;
      const answer = await within(PATIENCE_MS, [asked.fetch(request), broken.promise]);
      if (answer instanceof Response) return answer;
      // Others may have waited as long for the same dead connections: it is opened anew once.
      if (asked === apis) reopen();
      return Response.json({ code: "08006", message: "The database does not answer" }, {
        status: 503,
      });
    },
    async close() {
      globalThis.removeEventListener("error", onError);
      await apis.close();
    },
  };
}

function isDriverFault(error: unknown): boolean {
  return error instanceof Error && /postgres\/src\/connection\.js/.test(error.stack ?? "");
}

/** The first of `work` to settle, or nothing when none does in time. */
async function within<T>(milliseconds: number, work: readonly Promise<T | void>[]) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  try {
    return await Promise.race([...work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function openApis(options: ApiOptions): SupabaseApis {
  const connection = createPostgresConnection({
    url: options.databaseUrl,
    // Each NOTICE would be a printed object of ten lines.
    postgresOptions: {
      max: 10,
      onnotice: () => {},
      connection: { application_name: "rest" },
      types: { json: jsonType(114), jsonb: jsonType(3802) },
    },
  });
  // On its first request the library grants ALL on every table to anon and authenticated. That
  // would undo the grants of our migrations and hide their faults; "active" makes it believe it has.
  Reflect.set(connection, "rlsState", "active");
  const errors = new DatabaseErrors();
  connection.normalizeDbError = (error: unknown) => {
    errors.note(error);
    return error;
  };
  const app = new App({
    connection,
    auth: {
      enabled: true,
      jwt_secret: options.keys.innerSecret,
      publishable_key: INNER_KEYS.publishable,
      secret_key: INNER_KEYS.secret,
      email: { enable_confirmations: false },
    },
    options: { server: { disableStudio: true } },
  });
  return {
    fetch: (request) =>
      withConsoleIn(
        options.log,
        () => errors.keep(() => app.fetch(request, { peerAddress: null })),
      ),
    // The library's own close() waits for every transaction, those included that will never end.
    close: () => connection.driver.end({ timeout: CLOSE_MS / 1_000 }).catch(() => {}),
  };
}

/**
 * The library hands json arguments of functions over as text, which the driver would quote once more:
 * `{}` would arrive as the string "{}". Type numbers: json 114, jsonb 3802 (pg_type).
 */
function jsonType(oid: number) {
  return {
    to: oid,
    from: [oid],
    serialize: (value: unknown) => typeof value === "string" ? value : JSON.stringify(value),
    parse: (text: string): unknown => JSON.parse(text),
  };
}

const consoleTarget = new AsyncLocalStorage<(line: string) => void>();
let consoleIsWrapped = false;

/**
 * Runs `work` with everything it prints sent to `log`. The library prints the whole error object of
 * each refused statement, insufficient gems included, and has no switch for it.
 */
function withConsoleIn<T>(log: (line: string) => void, work: () => T): T {
  if (!consoleIsWrapped) wrapConsole();
  return consoleTarget.run(log, work);
}

function wrapConsole(): void {
  consoleIsWrapped = true;
  for (const method of ["log", "info", "warn", "error"] as const) {
    const original = console[method].bind(console);
    console[method] = (...args: unknown[]) => {
      const log = consoleTarget.getStore();
      if (log) log(args.map((arg) => typeof arg === "string" ? arg : Deno.inspect(arg)).join(" "));
      else original(...args);
    };
  }
}
