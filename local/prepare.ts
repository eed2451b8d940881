import { getAuthSchemaSql, getStorageSchemaSql, splitSqlStatements } from "@supabase/lite";
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { type ExtensionState, installExtensions, readExtensions, readSql } from "./extensions.ts";

/** The folder `supabase/` of this repository. */
export const SUPABASE_DIR = fileURLToPath(new URL("../supabase", import.meta.url));

/** What `prepareDatabase` did. */
export interface Prepared {
  /** File names of the migrations that were applied now, in order. */
  readonly applied: readonly string[];
  readonly extensions: readonly ExtensionState[];
}

/**
 * Brings the database at `url` to the state a hosted project has after `supabase db push` and the
 * seed: what the platform itself brings, each pending migration as one transaction, the seed once.
 * Runs again without harm, and at once when nothing has changed.
 */
export async function prepareDatabase(
  url: string,
  { supabaseDir = SUPABASE_DIR }: { readonly supabaseDir?: string } = {},
): Promise<Prepared> {
  const migrations = await readMigrations(join(supabaseDir, "migrations"));
  const seed = await readSeed(supabaseDir);
  return await withClient(url, async (client) => {
    const print = await fingerprint(migrations, seed);
    const applied = [];
    if (await readFingerprint(client) !== print) {
      await client.query("begin");
      await createPlatform(client);
      await client.query("commit");
      await installExtensions(client);
      for (const migration of migrations) {
        if (await applyMigration(client, migration)) applied.push(basename(migration.file));
      }
      if (seed) await applySeed(client, seed);
      await client.query(`comment on schema supabase_migrations is '${print}'`);
    }
    return { applied, extensions: await readExtensions(client) };
  });
}

/** Runs `work` with a connection of its own, quiet about notices, closed afterwards. */
export async function withClient<T>(
  url: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  // Without a listener, a server that goes away while we are idle would end the process.
  client.on("error", () => {});
  await client.connect().catch((cause: unknown) => {
    throw new Error(
      `Could not connect to Postgres at ${client.host}:${client.port}: ${why(cause)}`,
      {
        cause,
      },
    );
  });
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Where a name has several addresses and none answers, Node's error has no words of its own. */
function why(cause: unknown): string {
  const [first] = cause instanceof AggregateError ? cause.errors : [cause];
  return first instanceof Error ? first.message : String(first);
}

const SQL_FILES = ["bootstrap", "auth", "storage", "realtime", "vault", "net", "cron"].map((name) =>
  `${name}.sql`
);

interface SqlFile {
  readonly file: string;
  readonly sql: string;
}

interface Migration extends SqlFile {
  readonly version: string;
  readonly name: string;
}

async function createPlatform(client: pg.Client): Promise<void> {
  await client.query("set local client_min_messages = warning");
  await client.query(await readSql("bootstrap.sql"));
  await client.query(getAuthSchemaSql());
  await client.query(await readSql("auth.sql"));
  await client.query(getStorageSchemaSql());
  await client.query(await readSql("storage.sql"));
  if (await mayStandInForRealtime(client)) await client.query(await readSql("realtime.sql"));
}

/** A schema of that name without our comment belongs to a real Realtime, which we leave alone. */
async function mayStandInForRealtime(client: pg.Client): Promise<boolean> {
  const { rowCount } = await client.query(
    `select from pg_namespace n where n.nspname = 'realtime'
       and coalesce(obj_description(n.oid, 'pg_namespace'), '') not like 'Stand-in%'`,
  );
  return rowCount === 0;
}

async function readMigrations(dir: string): Promise<Migration[]> {
  const migrations: Migration[] = [];
  for (const file of await sqlFiles(dir)) {
    const match = /^(\d+)_(.*)\.sql$/.exec(basename(file));
    if (!match) continue;
    const [, version = "", name = ""] = match;
    migrations.push({ file, version, name, sql: await Deno.readTextFile(file) });
  }
  return migrations;
}

async function sqlFiles(dir: string): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(dir)).catch(() => []);
  return names.map((entry) => join(dir, entry.name)).filter((file) => file.endsWith(".sql")).sort();
}

async function readSeed(supabaseDir: string): Promise<SqlFile | null> {
  const file = join(supabaseDir, "seed.sql");
  const sql = await Deno.readTextFile(file).catch(() => null);
  return sql === null ? null : { file, sql };
}

/**
 * False when it was applied before. The record is written in the same transaction as the change.
 */
async function applyMigration(client: pg.Client, migration: Migration): Promise<boolean> {
  const { version, name, sql, file } = migration;
  const known = await client.query(
    "select from supabase_migrations.schema_migrations where version = $1",
    [version],
  );
  if (known.rowCount) return false;
  await inTransaction(client, { file, sql }, async () => {
    await client.query(
      "insert into supabase_migrations.schema_migrations (version, name, statements) values ($1, $2, $3)",
      [version, name, splitSqlStatements(sql)],
    );
  });
  return true;
}

/** As the CLI: once, remembered by path; a changed seed is not run again over data it may spoil. */
async function applySeed(client: pg.Client, { file, sql }: SqlFile): Promise<void> {
  const path = `supabase/${basename(file)}`;
  const known = await client.query("select from supabase_migrations.seed_files where path = $1", [
    path,
  ]);
  if (known.rowCount) return;
  await inTransaction(client, { file, sql }, async () => {
    const hash = createHash("sha256").update(sql).digest("hex");
    await client.query("insert into supabase_migrations.seed_files (path, hash) values ($1, $2)", [
      path,
      hash,
    ]);
  });
}

async function inTransaction(
  client: pg.Client,
  { file, sql }: SqlFile,
  record: () => Promise<void>,
): Promise<void> {
  await client.query("begin");
  try {
    await client.query("set local client_min_messages = warning");
    await client.query(sql);
    await record();
    await client.query("commit");
  } catch (error) {
    await client.query("rollback");
    throw new Error(`"${file}"${place(sql, error)} failed: ${text(error)}`, { cause: error });
  }
  // A file may have changed settings of its session (pg_dump's do); the next one starts afresh.
  await client.query("reset all");
}

function place(sql: string, error: unknown): string {
  const position = error instanceof pg.DatabaseError ? Number(error.position) : NaN;
  return Number.isInteger(position) ? `, line ${sql.slice(0, position).split("\n").length},` : "";
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Of everything that preparing depends on, so that an unchanged database is left alone. */
async function fingerprint(
  migrations: readonly Migration[],
  seed: SqlFile | null,
): Promise<string> {
  const hash = createHash("sha256");
  for (const name of SQL_FILES) {
    hash.update(await readSql(name));
  }
  for (const { file, sql } of migrations) hash.update(basename(file)).update(sql);
  return hash.update(seed?.sql ?? "").digest("hex");
}

async function readFingerprint(client: pg.Client): Promise<string | null> {
  const { rows } = await client.query<{ print: string | null }>(
    "select obj_description(to_regnamespace('supabase_migrations'), 'pg_namespace') as print",
  );
  return rows[0]?.print ?? null;
}
