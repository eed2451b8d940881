/** A stack that run after run is played on: its database is put back to a scenario's beginning. */
import { join } from "node:path";
import type pg from "pg";
import type { NotifySandbox } from "../../../local/sandbox/notify.ts";
import { withClient } from "../../../local/prepare.ts";
import { providersEnv } from "../../../local/sandboxes.ts";
import { type Stack, startStack } from "../../../local/stack.ts";
import { type Database, openDatabase } from "../../../shared/db/database.ts";
import { registerDevice } from "../../support/devices.ts";
import { databaseUrl, runOn } from "../../support/server.ts";
import { quiet } from "../../support/sql.ts";
import { shopsOf } from "../shops/all.ts";
import type { Shop, ShopName } from "../shops/shop.ts";
import type { Base } from "./base.ts";
import type { Surroundings } from "./protocol.ts";

/** Bytes of every file, enough that a half of one is really on its way when the other is not. */
export const FILE_BYTES = 400_000;

/** A phone that the app was removed from. */
const GONE_PHONE = "removed-phone";

/** Every branch of notifying: an answer that is lost, one that says "later", one that says "gone". */
function troubleTheSenders({ control }: NotifySandbox): void {
  control.reset();
  control.unregister(GONE_PHONE);
  control.fail("web_push", { fault: "lostAnswer" });
  control.fail("webhook", { fault: "status", status: 503 });
}

/** Where one run after the other is played. */
export interface Lane {
  readonly shops: Readonly<Record<ShopName, Shop>>;
  readonly notify: NotifySandbox;
  readonly surroundings: Surroundings;
  /** The folder of the stored files. */
  readonly files: string;
  /** Puts everything back to the beginning of `base` and gives `work` a connection. */
  fresh(base: Base, work: (db: Database) => Promise<void>): Promise<void>;
}

/** Gives `work` a lane; `first` only says on which server. */
export async function withLane(first: Base, work: (lane: Lane) => Promise<void>): Promise<void> {
  const name = `crash_${crypto.randomUUID().replaceAll("-", "")}`;
  const url = databaseUrl(first.serverUrl, name);
  const recreate = (base: Base) =>
    withClient(base.serverUrl, async (client) => {
      await leftAlone(client, [name, base.database]);
      await client.query(`drop database if exists ${name} with (force)`);
      // Copying files takes a tenth of the time of the default, which writes all of it to the log.
      await client.query(`create database ${name} template ${base.database} strategy file_copy`);
    });
  const dataDir = await Deno.makeTempDir({ prefix: "gemreel-crash-" });
  try {
    await recreate(first);
    const stack = await startStack({
      dataDir,
      databaseUrl: url,
      ...{ port: 0, sandboxPort: 0, env: {}, quiet: true },
      ...{ functions: false, cron: false, webhooks: "off" },
      sandbox: { knobs: { manual: true, mediaBytes: FILE_BYTES } },
      runway: { knobs: { manual: true, mediaBytes: FILE_BYTES, pendingMs: 0 } },
      kie: { knobs: { manual: true, mediaBytes: FILE_BYTES, queueMs: 0, hiddenMs: 0 } },
    });
    try {
      await work(laneOf(stack, url, recreate));
    } finally {
      await stack.stop();
    }
  } finally {
    await runOn(first.serverUrl, `drop database if exists ${name} with (force)`);
    await Deno.remove(dataDir, { recursive: true });
  }
}

function laneOf(stack: Stack, url: string, recreate: (base: Base) => Promise<void>): Lane {
  const { notify, providers } = stack;
  if (notify === null) throw new Error("A lane needs the sandbox of notifications");
  const shops = shopsOf(providers);
  const { endpoint, keys } = notify.control.subscribe();
  const files = join(stack.dataDir, "storage");
  return {
    shops,
    notify,
    files,
    surroundings: {
      databaseUrl: url,
      supabaseUrl: stack.supabaseUrl,
      secretKey: stack.secretKey,
      providersEnv: providersEnv(providers),
      notifyEnv: notify.env,
    },
    async fresh(base, work) {
      await recreate(base);
      const { provider, knobs } = base.scenario;
      shops[provider].reset();
      shops[provider].configure(knobs);
      troubleTheSenders(notify);
      await Deno.remove(files, { recursive: true }).catch(ignoreMissing);
      await storageAnswers(stack);
      const db = openDatabase(url, { log: quiet });
      try {
        for (const address of ["phone", GONE_PHONE]) {
          await registerDevice(db, base.family, { address });
        }
        await registerDevice(db, base.family, { kind: "web_push", address: endpoint, keys });
        await work(db);
      } finally {
        await db.close();
      }
    },
  };
}

/**
 * Cuts whoever is connected to these databases, and whoever comes back, until they are gone. DROP DATABASE would do
 * it too, but looks again only ten times a second, which is the better part of a run.
 */
async function leftAlone(client: pg.Client, databases: readonly string[]): Promise<void> {
  const connected = "from pg_stat_activity where datname = any ($1)";
  for (;;) {
    const cut = await client.query(`select pg_terminate_backend(pid) ${connected}`, [databases]);
    if (cut.rowCount === 0) return;
  }
}

/** The first questions after the database was replaced may still meet a connection to the old one. */
async function storageAnswers(stack: Stack): Promise<void> {
  for (;;) {
    const response = await fetch(`${stack.supabaseUrl}/storage/v1/bucket/videos`, {
      headers: { apikey: stack.secretKey, authorization: `Bearer ${stack.secretKey}` },
    });
    await response.body?.cancel();
    if (response.ok) return;
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
