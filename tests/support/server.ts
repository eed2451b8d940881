/** The Postgres server that tests share, and the prepared database they copy. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPool } from "../../local/pool.ts";
import { startPostgres } from "../../local/postgres.ts";
import { prepareDatabase, withClient } from "../../local/prepare.ts";

/** Where test databases are made, and from what. */
export interface TestServer {
  /** Of the database `postgres`, as a superuser. */
  readonly url: string;
  /** A database with everything in supabase/ applied; nobody connects to it. */
  readonly template: string;
}

/** How tests/run.ts tells the test files about the server. */
export const SERVER_VARIABLE = "GEMREEL_TEST_SERVER";
export const TEMPLATE_VARIABLE = "GEMREEL_TEST_TEMPLATE";

/** Settings for data that nobody wants to keep. */
const FAST = {
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  max_connections: "300",
  autovacuum_naptime: "10s",
};

/**
 * Starts a server of its own (unless `existing` is one) and makes the template in it.
 * `stop` removes all of it.
 */
export async function startTestServer(
  existing?: string,
): Promise<TestServer & { stop(): Promise<void> }> {
  const own = existing === undefined ? await startOwnServer() : null;
  const url = existing ?? own?.url ?? "";
  const template = `gemreel_template_${crypto.randomUUID().slice(0, 8)}`;
  const stop = async () => {
    if (own) await own.stop();
    else await runOn(url, `drop database if exists ${template} with (force)`);
  };
  try {
    await runOn(url, `create database ${template}`);
    await prepareDatabase(databaseUrl(url, template));
    return { url, template, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The address of another database of the same server. */
export function databaseUrl(serverUrl: string, database: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  return url.href;
}

/** Runs one statement that can't be in a transaction, such as CREATE DATABASE. */
export async function runOn(url: string, statement: string): Promise<void> {
  await withClient(url, async (client) => {
    await client.query(statement);
  });
}

/** The server of this run: the runner's, or one of our own that ends with this process. */
export async function findTestServer(): Promise<TestServer> {
  const url = Deno.env.get(SERVER_VARIABLE);
  const template = Deno.env.get(TEMPLATE_VARIABLE);
  if (url && template) return { url, template };
  return await startTestServer();
}

/** A pool on `url` that survives a killed server. */
export const createTestPool = (url: string) => createPool(url, { name: "test", max: 20 });

async function startOwnServer() {
  return await startPostgres({
    dataDir: join(tmpdir(), `gemreel-test-${crypto.randomUUID().slice(0, 8)}`),
    port: 0,
    settings: FAST,
    temporary: true,
  });
}
