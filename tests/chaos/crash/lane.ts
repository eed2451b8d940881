/** A stack that run after run is played on: its database is put back to a scenario's beginning. */
import { join } from "node:path";
import type pg from "pg";
import type { NotifySandbox } from "../../../local/sandbox/notify.ts";
import { withClient } from "../../../local/prepare.ts";
import { providersEnv, type SandboxOptions } from "../../../local/sandboxes.ts";
import { type Stack, startStack } from "../../../local/stack.ts";
import { type Database, openDatabase } from "../../../shared/db/database.ts";
import { registerDevice } from "../../support/devices.ts";
import { databaseUrl, runOn } from "../../support/server.ts";
import { quiet } from "../../support/sql.ts";
import { shopsOf } from "../shops/all.ts";
import { type Counter, counterOf } from "../shops/counter.ts";
import type { ShopName } from "../shops/shop.ts";
import type { Base } from "./base.ts";
import type { Surroundings } from "./protocol.ts";
import { rewind } from "./rewind.ts";
import type { Scenario } from "./scenario.ts";

/** Bytes of every file, enough that a half of one is really on its way when the other is not. */
export const FILE_BYTES = 400_000;

/** A PNG as far as its signature: what matters is its type. */
export const PICTURE = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** Every provider's sandbox: a task ends when it is told to. */
const SANDBOXES = {
  runware: { knobs: { manual: true, mediaBytes: FILE_BYTES } },
  runway: { knobs: { manual: true, mediaBytes: FILE_BYTES, pendingMs: 0 } },
  kie: { knobs: { manual: true, mediaBytes: FILE_BYTES, queueMs: 0, hiddenMs: 0 } },
} satisfies Record<ShopName, SandboxOptions[ShopName]>;

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
  /** Where the scenario's videos are made. */
  shopOf(scenario: Scenario): Counter;
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
  const dataDir = await Deno.makeTempDir({ prefix: "gemreel-crash-" });
  try {
    await withClient(first.serverUrl, async (client) => {
      // A database that somebody is connected to cannot be copied.
      await cutOff(client, "datname = $1", [first.database]);
      await client.query(`create database ${name} template ${first.database}`);
    });
    const stack = await startStack({
      dataDir,
      databaseUrl: url,
      ...{ port: 0, sandboxPort: 0, env: {}, quiet: true },
      ...{ functions: false, cron: false, webhooks: "off" },
      ...SANDBOXES,
    });
    try {
      await withClient(url, async (client) => {
        await client.query("set application_name = 'lane'");
        await work(laneOf(stack, url, client));
      });
    } finally {
      await stack.stop();
    }
  } finally {
    await runOn(first.serverUrl, `drop database if exists ${name} with (force)`);
    await Deno.remove(dataDir, { recursive: true });
  }
}

function laneOf(stack: Stack, url: string, client: pg.Client): Lane {
  const { notify, providers } = stack;
  if (notify === null) throw new Error("A lane needs the sandbox of notifications");
  const shops = shopsOf(providers);
  const { endpoint, keys } = notify.control.subscribe();
  const files = join(stack.dataDir, "storage");
  return {
    shopOf: ({ provider, fallback }) =>
      counterOf(shops[provider], ...fallback === undefined ? [] : [shops[fallback]]),
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
      // Of workers that died, or are to begin a new life: the stack's own have names.
      await cutOff(client, "datname = current_database() and application_name = ''");
      await rewind(client, base.reel);
      const { provider, knobs } = base.scenario;
      for (const shop of Object.values(shops)) shop.reset();
      shops[provider].configure(knobs);
      troubleTheSenders(notify);
      await Deno.remove(files, { recursive: true }).catch(ignoreMissing);
      await hangPictures(stack, base);
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

/** Cuts connections, and those that come back, until there are none. */
async function cutOff(client: pg.Client, whose: string, values: string[] = []): Promise<void> {
  const text = `select pg_terminate_backend(pid) from pg_stat_activity where ${whose}`;
  while ((await client.query(text, values)).rowCount !== 0);
}

/** The rows of the children's pictures are there; here are their files. */
async function hangPictures(stack: Stack, { family, scenario }: Base): Promise<void> {
  if (!Object.values(scenario.roles).some(({ pictured }) => pictured)) return;
  const path = `${family.userId}/${family.childId}.png`;
  const response = await fetch(`${stack.supabaseUrl}/storage/v1/object/avatars/${path}`, {
    method: "POST",
    headers: {
      apikey: stack.secretKey,
      authorization: `Bearer ${stack.secretKey}`,
      "content-type": "image/png",
      "x-upsert": "true",
    },
    body: PICTURE,
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`Storage answered ${response.status} to a picture`);
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
