/** An empty database with only what every hosted Supabase project has, for the CLI to work on. */
import { join } from "node:path";
import { startPostgres } from "../postgres.ts";
import { prepareDatabase, withClient } from "../prepare.ts";

/** A database that is thrown away after verifying. */
export interface ScratchDatabase {
  readonly url: string;
  /** Such as "PostgreSQL 17.10". */
  readonly server: string;
  remove(): Promise<void>;
}

/**
 * Makes one: a database of its own on the server at `serverUrl` (DATABASE_URL), or an embedded
 * Postgres that lives as long.
 */
export async function createScratchDatabase(serverUrl?: string): Promise<ScratchDatabase> {
  const place = serverUrl === undefined ? await embedded() : await databaseOn(serverUrl);
  try {
    return { ...place, server: await bringPlatform(place.url) };
  } catch (error) {
    await place.remove();
    throw error;
  }
}

type Place = Omit<ScratchDatabase, "server">;

async function embedded(): Promise<Place> {
  const dir = await Deno.makeTempDir({ prefix: "gemreel-verify-postgres-" });
  const server = await startPostgres({
    dataDir: join(dir, "data"),
    port: 0,
    settings: { fsync: "off" },
  });
  return {
    url: server.url,
    async remove() {
      await server.stop();
      // A folder Postgres can't reach has its data elsewhere, behind a link.
      const data = await Deno.realPath(join(dir, "data"));
      await Deno.remove(data, { recursive: true });
      await Deno.remove(dir, { recursive: true });
    },
  };
}

async function databaseOn(serverUrl: string): Promise<Place> {
  const name = `gemreel_verify_${crypto.randomUUID().replaceAll("-", "")}`;
  await withClient(serverUrl, (client) => client.query(`create database ${name}`));
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    async remove() {
      await withClient(
        serverUrl,
        (client) => client.query(`drop database ${name} with (force)`),
      );
    },
  };
}

/** The platform, and none of our migrations; also not the CLI's own tables, which it must make itself. */
async function bringPlatform(url: string): Promise<string> {
  const nothing = await Deno.makeTempDir({ prefix: "gemreel-verify-empty-" });
  try {
    await prepareDatabase(url, { supabaseDir: nothing });
  } finally {
    await Deno.remove(nothing);
  }
  return await withClient(url, async (client) => {
    await client.query("drop schema supabase_migrations cascade");
    const { rows } = await client.query<{ version: string }>(
      "select current_setting('server_version') as version",
    );
    return `PostgreSQL ${rows[0]?.version.split(" ")[0] ?? "?"}`;
  });
}
