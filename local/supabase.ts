import { App } from "@supabase/lite";
import { AsyncLocalStorage } from "node:async_hooks";
import { DatabaseErrors, refusalOf } from "./database_errors.ts";
import { createRestConnection } from "./rest_connection.ts";
import type { StackKeys } from "./keys.ts";

/** The REST and auth APIs of Supabase on a Postgres, without a port of their own. */
export interface SupabaseApis {
  /**
   * Answers /rest/v1 and /auth/v1. Wants the keys below and HS256 tokens: the gateway translates.
   */
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

/**
 * Serves the database at `databaseUrl`. What the APIs print goes to `log` instead of the console.
 */
export function createSupabaseApis(options: ApiOptions): SupabaseApis {
  const connection = createRestConnection(options.databaseUrl);
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
    close: () => connection.close(),
  };
}

const consoleTarget = new AsyncLocalStorage<(line: string) => void>();
let consoleIsWrapped = false;

/**
 * Runs `work` with everything it prints sent to `log`. The library prints the whole error object of
 * each refused statement, insufficient gems included, and has no switch for it: a refusal becomes a
 * line.
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
      if (log) log(args.map(loggable).join(" "));
      else original(...args);
    };
  }
}

function loggable(value: unknown): string {
  return typeof value === "string" ? value : refusalOf(value) ?? Deno.inspect(value);
}
