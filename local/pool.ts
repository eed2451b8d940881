import pg from "pg";

/** What is not in the URL. */
interface PoolOptions extends Pick<pg.PoolConfig, "options" | "types"> {
  /** What pg_stat_activity calls it. */
  readonly name: string;
  /** Connections at once. */
  readonly max: number;
}

/**
 * A pool that outlives its connections: when Postgres is restarted or killed, queries fail, but no
 * unheard "error" event ends the process.
 */
export function createPool(
  databaseUrl: string,
  { name, max, ...more }: PoolOptions,
): pg.Pool {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max,
    application_name: name,
    ...more,
  });
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}
