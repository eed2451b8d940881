import pg from "pg";

/**
 * A pool that outlives its connections: when Postgres is restarted or killed, queries fail, but no
 * unheard "error" event ends the process.
 */
export function createPool(
  databaseUrl: string,
  { name, max }: { readonly name: string; readonly max: number },
): pg.Pool {
  const pool = new pg.Pool({ connectionString: databaseUrl, max, application_name: name });
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}
