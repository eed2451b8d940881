import type pg from "pg";

/** The extensions hosted Supabase has and a plain Postgres has not. */
export type ExtensionName = "pg_net" | "pg_cron" | "supabase_vault";

/** Who answers for an extension's SQL names in a database, and why. */
export interface ExtensionState {
  readonly name: ExtensionName;
  readonly by: "extension" | "stand-in";
  /** For people; empty for a stand-in that is there only because the extension is not installed. */
  readonly note: string;
}

interface Extension {
  readonly name: ExtensionName;
  readonly create: string;
  readonly standIn: string;
  /** A background worker has to be loaded at server start, and it serves one database only. */
  readonly worker?: { readonly databaseSetting: string };
}

const EXTENSIONS: readonly Extension[] = [
  {
    name: "supabase_vault",
    create: "create extension if not exists supabase_vault with schema vault cascade",
    standIn: "vault.sql",
  },
  {
    name: "pg_net",
    create: "create extension if not exists pg_net with schema extensions",
    standIn: "net.sql",
    worker: { databaseSetting: "pg_net.database_name" },
  },
  {
    name: "pg_cron",
    create: "create extension if not exists pg_cron with schema pg_catalog",
    standIn: "cron.sql",
    worker: { databaseSetting: "cron.database_name" },
  },
];

/**
 * Makes each extension's SQL names exist: by the real one wherever it can work, else by a stand-in.
 */
export async function installExtensions(client: pg.ClientBase): Promise<void> {
  for (const extension of EXTENSIONS) {
    const obstacle = await findObstacle(client, extension);
    if (obstacle === null) {
      if (extension.name === "supabase_vault") {
        await client.query("create schema if not exists vault");
      }
      await client.query(extension.create);
    } else await client.query(await readSql(extension.standIn));
  }
}

/** What answers for each extension in a prepared database. */
export async function readExtensions(client: pg.ClientBase): Promise<ExtensionState[]> {
  const states: ExtensionState[] = [];
  for (const extension of EXTENSIONS) {
    const installed = await client.query("select from pg_extension where extname = $1", [
      extension.name,
    ]);
    states.push(
      installed.rowCount === 1 ? { name: extension.name, by: "extension", note: "" } : {
        name: extension.name,
        by: "stand-in",
        note: await findObstacle(client, extension) ?? "",
      },
    );
  }
  return states;
}

/** The text of a file in local/sql. */
export async function readSql(name: string): Promise<string> {
  return await Deno.readTextFile(new URL(`./sql/${name}`, import.meta.url));
}

/**
 * Null when the real extension can be used here; else why not ("" when it is simply not installed).
 */
async function findObstacle(client: pg.ClientBase, extension: Extension): Promise<string | null> {
  const { rows } = await client.query<{ available: boolean; libraries: string; database: string }>(
    `select exists (select from pg_available_extensions where name = $1) as available,
            current_setting('shared_preload_libraries') as libraries,
            current_database() as database`,
    [extension.name],
  );
  const server = rows[0];
  if (!server?.available) return "";
  if (!extension.worker) return null;
  const loaded = server.libraries.split(",").map((library) => library.trim());
  if (!loaded.includes(extension.name)) {
    return `${extension.name} is installed, but not in shared_preload_libraries ("${server.libraries}")`;
  }
  const setting = extension.worker.databaseSetting;
  const home = await client.query<{ value: string | null }>(
    "select current_setting($1, true) as value",
    [setting],
  );
  const serves = home.rows[0]?.value || "postgres";
  if (serves === server.database) return null;
  return `${extension.name} serves the database "${serves}" (${setting}), not "${server.database}"`;
}
