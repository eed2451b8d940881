import type pg from "pg";
import { createTestPool, databaseUrl, findTestServer, runOn } from "./server.ts";

// At import, so that no test is blamed for leaving the server running.
const server = await findTestServer();

/** A database of a test's own. */
export interface TestDatabase {
  readonly url: string;
  readonly pool: pg.Pool;
  /** The rows of one statement. */
  rows<T extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<T[]>;
}

/** Gives `work` a fresh database with all migrations and the seed applied, dropped afterwards. */
export async function withDatabase<T>(work: (database: TestDatabase) => Promise<T>): Promise<T> {
  const name = `test_${crypto.randomUUID().replaceAll("-", "")}`;
  await runOn(server.url, `create database ${name} template ${server.template}`);
  const url = databaseUrl(server.url, name);
  const pool = createTestPool(url);
  try {
    // A cron job belongs to the database it was scheduled in, which for a copy is the template.
    await pool.query("update cron.job set database = current_database()");
    return await work({
      url,
      pool,
      async rows<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []) {
        return (await pool.query<Row>(text, values)).rows;
      },
    });
  } finally {
    await pool.end();
    await runOn(server.url, `drop database ${name} with (force)`);
  }
}
