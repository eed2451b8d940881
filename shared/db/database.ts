/** The workers' connection to Postgres: a small pool, and transactions that survive a deadlock. */
import pg from "pg";
import type { Log } from "../log.ts";
import { SUPABASE_CA } from "./supabase_ca.ts";

/**
 * Runs one statement. Values are bound, never spliced. Outside a transaction, a statement is
 * retried after a deadlock.
 */
export interface Sql {
  query(text: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
}

/** A database: single statements, or several in one transaction. */
export interface Database extends Sql {
  /**
   * Runs `work` in one transaction. It may run again when Postgres ends the first try for a deadlock
   * or a serialization failure, so it must do nothing but talk to the database.
   */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** SQLSTATEs after which the same transaction may simply be tried again. */
const TRY_AGAIN = new Set(["40001", "40P01"]);
const TRIES = 4;
/**
 * A worker that is cut off in the middle would hold its locks for hours, and everyone would wait. With
 * these limits Postgres ends what it left, and the queue gives the work out again. `set local` is safe
 * behind a transaction pooler.
 */
const BEGIN = "begin; set local idle_in_transaction_session_timeout = '15s'; " +
  "set local statement_timeout = '30s'; set local lock_timeout = '10s'";

/** The SQLSTATE of a database error, or undefined. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : undefined;
}

/**
 * Opens a pool lazily: no connection before the first statement. Three connections: one for each of
 * two lanes, one for what renews the lease and for pg-boss's own statements. Whoever finds none free
 * waits for one. Works through PgBouncer in transaction mode.
 */
export function openDatabase(
  connectionString: string,
  { log, max = 3 }: { log: Log; max?: number },
): Database {
  const pool = new pg.Pool({
    connectionString,
    max,
    ssl: tlsFor(connectionString),
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 10_000,
    // A connection whose other end is gone without a word would be waited for without end.
    query_timeout: 60_000,
    keepAlive: true,
    allowExitOnIdle: true,
  });
  // An idle connection that Postgres drops is no one's failed query; without a listener it ends the process.
  pool.on("error", (error: Error) => log.warn("An idle database connection broke", { error }));

  const once = async <T>(work: (sql: Sql) => Promise<T>): Promise<T> => {
    const client = await pool.connect();
    let broken: Error | undefined;
    // The pool listens to idle connections only; one that breaks in our hands would end the process.
    const onError = (error: Error) => broken = error;
    client.on("error", onError);
    try {
      await client.query(BEGIN);
      const result = await work({
        query: async (text, values) => rowsOf(await client.query(text, values?.slice())),
      });
      await client.query("commit");
      return result;
    } catch (error) {
      await client.query("rollback").catch((cause: unknown) => {
        broken = cause instanceof Error ? cause : new Error(String(cause));
      });
      throw error;
    } finally {
      client.off("error", onError);
      client.release(broken);
    }
  };

  /** What Postgres ended has done nothing. pg-boss's statements are as exposed as our transactions. */
  const retryAborted = async <T>(work: () => Promise<T>): Promise<T> => {
    for (let attempt = 1;; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (attempt === TRIES || !TRY_AGAIN.has(sqlState(error) ?? "")) throw error;
        log.debug("Ended by Postgres, trying again", { error, attempt });
      }
    }
  };

  return {
    query: (text, values) =>
      retryAborted(async () => rowsOf(await pool.query(text, values?.slice()))),
    transaction: (work) => retryAborted(() => once(work)),
    close: () => pool.end(),
  };
}

/**
 * TLS to a server that is named by a domain; plain to this machine and to a neighbour in the same
 * private network (a bare name or an address). `sslmode` in the connection string wins. Supabase's
 * edge runtime checks the certificate whatever `rejectUnauthorized` says, so it has to know who signs
 * Supabase's; elsewhere it is not checked, since a Postgres of your own may be signed by anybody.
 */
export function tlsFor(
  connectionString: string,
): { ca: string[]; rejectUnauthorized: boolean } | false {
  const host = URL.canParse(connectionString) ? new URL(connectionString).hostname : "";
  const isDomain = host.includes(".") && !/^[\d.]+$/.test(host);
  return isDomain ? { ca: [...SUPABASE_CA], rejectUnauthorized: false } : false;
}

/** How long each row of a batch waits for a lock, once the batch as a whole has waited in vain. */
export const ONE_BY_ONE = "250ms";

/** Whether somebody else held a lock for longer than could be waited. */
export function isLockTimeout(error: unknown): boolean {
  return sqlState(error) === "55P03";
}

/** Whether Postgres refused the values themselves, or their size, so that the same call fails again. */
export function isDataError(error: unknown): boolean {
  return /^(2[23]|54)/.test(sqlState(error) ?? "");
}

/** Several statements in one string (pg-boss sends some) answer with a list of results. */
function rowsOf(result: pg.QueryResult | pg.QueryResult[]): Record<string, unknown>[] {
  return Array.isArray(result) ? result.flatMap((one) => one.rows) : result.rows;
}
