import type pg from "pg";
import { withClient } from "./prepare.ts";

type Settings = Readonly<Record<string, unknown>>;

/** A sandbox takes seconds where a provider takes minutes, so it is asked each second. */
const SANDBOX_PACE: Settings = { poll_steps: [1], quiet_percent: 0 };

/** What a database has to know about the stack that serves it. */
export interface LocalSetup {
  /** Where SQL finds the functions: <url>/functions/v1. */
  readonly functionsUrl: string;
  readonly cronKey: string;
  /** Seconds between the rings of cron; null leaves the schedule alone. */
  readonly cronSeconds: number | null;
  /** Whether no real provider is asked. */
  readonly sandboxesOnly: boolean;
  /** Columns of app.settings to change. */
  readonly settings: Settings;
}

/**
 * Writes the vault secrets and the local settings. What a project's SQL doesn't have is passed
 * over.
 */
export async function applyLocalSetup(databaseUrl: string, setup: LocalSetup): Promise<void> {
  await withClient(databaseUrl, async (client) => {
    await writeSecret(client, "functions_url", setup.functionsUrl);
    await writeSecret(client, "cron_secret_key", setup.cronKey);
    if (setup.cronSeconds !== null && await hasFunction(client, "app.schedule_cron(integer)")) {
      await client.query("select app.schedule_cron($1)", [setup.cronSeconds]);
    }
    if (!await hasTable(client, "app.settings")) return;
    if (setup.sandboxesOnly) await change(client, SANDBOX_PACE);
    else await takeBack(client, SANDBOX_PACE);
    await change(client, setup.settings);
  });
}

async function change(client: pg.Client, settings: Settings): Promise<void> {
  for (const [column, value] of Object.entries(settings)) {
    await client.query(`update app.settings set ${client.escapeIdentifier(column)} = $1`, [value]);
  }
}

/** What an earlier run has set goes back to its default; other values are the developer's. */
async function takeBack(client: pg.Client, settings: Settings): Promise<void> {
  for (const [column, value] of Object.entries(settings)) {
    const name = client.escapeIdentifier(column);
    await client.query(`update app.settings set ${name} = default where ${name} = $1`, [value]);
  }
}

async function writeSecret(client: pg.Client, name: string, secret: string): Promise<void> {
  const { rows } = await client.query<{ id: string }>(
    "select id from vault.secrets where name = $1",
    [name],
  );
  if (rows[0]) await client.query("select vault.update_secret($1, $2)", [rows[0].id, secret]);
  else await client.query("select vault.create_secret($1, $2)", [secret, name]);
}

async function hasFunction(client: pg.Client, signature: string): Promise<boolean> {
  const { rows } = await client.query<{ exists: boolean }>(
    "select to_regprocedure($1) is not null as exists",
    [signature],
  );
  return rows[0]?.exists ?? false;
}

async function hasTable(client: pg.Client, name: string): Promise<boolean> {
  const { rows } = await client.query<{ exists: boolean }>(
    "select to_regclass($1) is not null as exists",
    [name],
  );
  return rows[0]?.exists ?? false;
}
