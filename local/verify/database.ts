/** An empty database with only what every hosted Supabase project has, for the CLI to work on. */
import { join } from "node:path";
import { startPostgres } from "../postgres.ts";
import { removePostgresData } from "../postgres_files.ts";
import { prepareDatabase, withClient } from "../prepare.ts";
import type { Scratch } from "./scratch.ts";

/** A database that is thrown away after verifying. */
export interface ScratchDatabase {
  readonly url: string;
  /** Such as "PostgreSQL 17.10". */
  readonly server: string;
}

/**
 * Makes one, removed with the scratch folder: a database of its own on the server at
 * `serverUrl` (DATABASE_URL), or an embedded Postgres that lives as long.
 */
export async function createScratchDatabase(
  scratch: Scratch,
  serverUrl?: string,
): Promise<ScratchDatabase> {
  const url = serverUrl === undefined
    ? await embedded(scratch)
    : await databaseOn(serverUrl, scratch);
  return { url, server: await bringPlatform(url, scratch) };
}

async function embedded({ dir: scratch, cleanups }: Scratch): Promise<string> {
  const dataDir = join(scratch, "postgres");
  cleanups.add(() => removePostgresData(dataDir));
  const server = await startPostgres({ dataDir, port: 0, settings: { fsync: "off" } });
  cleanups.add(() => server.stop());
  return server.url;
}

async function databaseOn(serverUrl: string, { cleanups }: Scratch): Promise<string> {
  const name = `gemreel_verify_${crypto.randomUUID().replaceAll("-", "")}`;
  const run = async (sql: string) => {
    await withClient(serverUrl, (client) => client.query(sql));
  };
  await run(`create database ${name}`);
  cleanups.add(() => run(`drop database ${name} with (force)`));
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

/**
 * The platform, and none of our migrations; also not the CLI's own tables, which it must make
 * itself.
 */
async function bringPlatform(url: string, { dir }: Scratch): Promise<string> {
  await prepareDatabase(url, { supabaseDir: join(dir, "no-migrations") });
  return await withClient(url, async (client) => {
    await client.query("drop schema supabase_migrations cascade");
    const { rows } = await client.query<{ version: string }>(
      "select current_setting('server_version') as version",
    );
    return `PostgreSQL ${rows[0]?.version.split(" ")[0] ?? "?"}`;
  });
}
