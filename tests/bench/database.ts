/** The Postgres of a benchmark run, and the databases in it. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { createPool } from "../../local/pool.ts";
import { startPostgres } from "../../local/postgres.ts";
import { prepareDatabase } from "../../local/prepare.ts";
import { databaseUrl, runOn, type TestServer } from "../support/server.ts";

/** A database of a benchmark's own. */
export interface BenchDatabase {
  readonly url: string;
  /** For preparing and looking, not for what is measured. */
  readonly pool: pg.Pool;
  /** The rows of one statement. */
  rows<T extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<T[]>;
  /** The one value of a statement that answers one row with a column "value". */
  value(text: string, values?: unknown[]): Promise<unknown>;
}

/**
 * As Postgres comes: every commit waits until it is on the disk (fsync, synchronous_commit and
 * full_page_writes are on). Memory and statistics as on a small hosted instance; checkpoints far apart, so that one
 * contender does not pay for another.
 */
const SERVER_SETTINGS: Readonly<Record<string, string>> = {
  fsync: "on",
  synchronous_commit: "on",
  full_page_writes: "on",
  max_connections: "300",
  shared_buffers: "512MB",
  maintenance_work_mem: "256MB",
  max_wal_size: "8GB",
  checkpoint_timeout: "30min",
  autovacuum_naptime: "10s",
  // Loaded on every hosted project, and it costs each statement a little.
  shared_preload_libraries: "pg_stat_statements",
};

/** Starts the server that all benchmarks share and makes the template in it. */
export async function startBenchServer(): Promise<TestServer & { stop(): Promise<void> }> {
  const own = await startPostgres({
    dataDir: join(tmpdir(), `gemreel-bench-${crypto.randomUUID().slice(0, 8)}`),
    port: 0,
    settings: SERVER_SETTINGS,
    temporary: true,
  });
  const template = "gemreel_bench_template";
  try {
    await runOn(own.url, `create database ${template}`);
    await prepareDatabase(databaseUrl(own.url, template));
    return { url: own.url, template, stop: () => own.stop() };
  } catch (error) {
    await own.stop();
    throw error;
  }
}

/** Gives `work` a copy of the template, dropped afterwards. */
export async function withCopy<T>(
  server: TestServer,
  work: (database: BenchDatabase) => Promise<T>,
): Promise<T> {
  const name = `bench_${crypto.randomUUID().replaceAll("-", "")}`;
  await runOn(server.url, `create database ${name} template ${server.template}`);
  const url = databaseUrl(server.url, name);
  const pool = createPool(url, { name: "bench", max: 20 });
  try {
    await pool.query("update cron.job set database = current_database()");
    return await work(openBenchDatabase(url, pool));
  } finally {
    await pool.end();
    await runOn(server.url, `drop database ${name} with (force)`);
  }
}

function openBenchDatabase(url: string, pool: pg.Pool): BenchDatabase {
  return {
    url,
    pool,
    async rows<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []) {
      return (await pool.query<Row>(text, values)).rows;
    },
    async value(text, values = []) {
      return (await pool.query<{ value: unknown }>(text, values)).rows[0]?.value;
    },
  };
}
