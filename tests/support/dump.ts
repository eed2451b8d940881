/** Dumping and restoring a project as the Supabase CLI and its documentation do it, by pg_dump and psql. */
import { join } from "node:path";
import { POSTGRES_15_BIN } from "./debian_postgres.ts";

/** What the platform brings, and no dump of a schema holds. Source: apps/cli-go/pkg/migration/dump.go of the CLI. */
const PLATFORM =
  "information_schema|pg_*|_analytics|_realtime|_supavisor|auth|etl|extensions|pgbouncer|realtime|storage|" +
  "supabase_functions|supabase_migrations|cron|dbdev|graphql|graphql_public|net|pgmq|pgsodium|pgsodium_masks|" +
  "pgtle|repack|tiger|tiger_data|timescaledb_*|_timescaledb_*|topology|vault";
/** Rows of users and of the list of files do come along. */
const PLATFORM_BUT_ROWS = PLATFORM.split("|").filter((name) => !["auth", "storage"].includes(name))
  .join("|");

const SED: readonly [RegExp, string][] = [
  [/^\\(un)?restrict .*$/gm, "-- $&"],
  [/^CREATE SCHEMA "/gm, 'CREATE SCHEMA IF NOT EXISTS "'],
  [/^CREATE TABLE "/gm, 'CREATE TABLE IF NOT EXISTS "'],
  [/^CREATE SEQUENCE "/gm, 'CREATE SEQUENCE IF NOT EXISTS "'],
  [/^CREATE VIEW "/gm, 'CREATE OR REPLACE VIEW "'],
  [/^CREATE FUNCTION "/gm, 'CREATE OR REPLACE FUNCTION "'],
  [/^CREATE TRIGGER "/gm, 'CREATE OR REPLACE TRIGGER "'],
  [/^CREATE PUBLICATION "supabase_realtime/gm, "-- $&"],
  [/^ALTER PUBLICATION "supabase_realtime_/gm, "-- $&"],
  [new RegExp(`^(GRANT|REVOKE) (.+) ON (.+) "(${PLATFORM})"`, "gm"), "-- $&"],
  [/^COMMENT ON EXTENSION (.+)/gm, "-- $&"],
];

/** The files schema.sql and data.sql, as `supabase db dump` writes them. */
export async function dumpProject(url: string, folder: string): Promise<[string, string]> {
  const schema = await pgDump(url, ["--schema-only", "--exclude-schema", PLATFORM]);
  const data = await pgDump(url, ["--data-only", "--exclude-schema", PLATFORM_BUT_ROWS]);
  const files: [string, string] = [join(folder, "schema.sql"), join(folder, "data.sql")];
  await Deno.writeTextFile(
    files[0],
    SED.reduce((sql, [line, other]) => sql.replace(line, other), schema),
  );
  await Deno.writeTextFile(
    files[1],
    `SET session_replication_role = replica;\n${
      data.replace(/^\\(un)?restrict .*$/gm, "-- $&")
    }\nRESET ALL;\n`,
  );
  return files;
}

/** Runs files in one transaction, as the documentation has it. Answers what psql complains about. */
export async function restoreFiles(url: string, files: readonly string[]): Promise<string> {
  return await run("psql", [
    ...["--quiet", "--no-psqlrc", "--single-transaction", "--variable", "ON_ERROR_STOP=1"],
    ...files.flatMap((file) => ["--file", file]),
    ...["--dbname", url],
  ], "stderr");
}

const pgDump = (url: string, args: string[]) =>
  run("pg_dump", ["--quote-all-identifier", ...args, "--dbname", url], "stdout");

async function run(
  program: string,
  args: readonly string[],
  wanted: "stdout" | "stderr",
): Promise<string> {
  const { success, ...output } = await new Deno.Command(join(POSTGRES_15_BIN, program), {
    args: [...args],
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new Error(`${program} failed: ${text(output.stderr)}`);
  return text(output[wanted]);
}
