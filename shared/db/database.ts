/** The workers' connection to Postgres: a small pool, and transactions that survive a deadlock. */
import pg from "pg";
import type { Log } from "../log.ts";

/** Runs one statement. Values are bound, never spliced. */
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

/** The SQLSTATE of a database error, or undefined. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : undefined;
}

/**
 * Opens a pool lazily: no connection before the first statement. Three connections: one for the
 * transaction at hand, one for pg-boss, one to spare. Works through PgBouncer in transaction mode.
 */
export function openDatabase(
  connectionString: string,
  { log, max = 3 }: { log: Log; max?: number },
): Database {
  const pool = new pg.Pool({
    connectionString,
    max,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 10_000,
    allowExitOnIdle: true,
  });
  // An idle connection that Postgres drops is no one's failed query; without a listener it ends the process.
  pool.on("error", (error: Error) => log.warn("An idle database connection broke", { error }));

  const once = async <T>(work: (sql: Sql) => Promise<T>): Promise<T> => {
    const client = await pool.connect();
    let broken: Error | undefined;
    try {
      await client.query("begin");
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
      client.release(broken);
    }
  };

  return {
    query: async (text, values) => rowsOf(await pool.query(text, values?.slice())),
    async transaction(work) {
      for (let attempt = 1;; attempt++) {
        try {
          return await once(work);
        } catch (error) {
          if (attempt === TRIES || !TRY_AGAIN.has(sqlState(error) ?? "")) throw error;
          log.debug("Transaction ended by Postgres, trying again", { error, attempt });
        }
      }
    },
    close: () => pool.end(),
  };
}

/** Several statements in one string (pg-boss sends some) answer with a list of results. */
function rowsOf(result: pg.QueryResult | pg.QueryResult[]): Record<string, unknown>[] {
  return Array.isArray(result) ? result.flatMap((one) => one.rows) : result.rows;
}
