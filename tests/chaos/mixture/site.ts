/**
 * Where mixtures are played: the product's own stages in this process, on a real Postgres, with the
 * sandbox, the storage and the webhook's door at the other end of real HTTP.
 */
import { createClient } from "@supabase/supabase-js";
import type { Choice, SandboxOptions } from "../../../local/sandboxes.ts";
import type { WebhookConfig } from "../../../shared/config.ts";
import type { Database as Schema } from "../../../shared/db/database.types.ts";
import { type Database, openDatabase } from "../../../shared/db/database.ts";
import { openQueue } from "../../../shared/db/queue.ts";
import { eventRecorder } from "../../../shared/doors/provider_events.ts";
import { providerWebhook } from "../../../shared/doors/provider_webhook.ts";
import { HttpError } from "../../../shared/http/http_error.ts";
import { createLog, type Log } from "../../../shared/log.ts";
import { createKieProvider } from "../../../shared/providers/kie/adapter.ts";
import type { VideoProvider } from "../../../shared/providers/provider.ts";
import { createRunwayProvider } from "../../../shared/providers/runway/adapter.ts";
import { createRunwareProvider } from "../../../shared/providers/runware/adapter.ts";
import type { WorkerTools } from "../../../shared/stages/worker_tools.ts";
import { createObjectStore, type ObjectStore } from "../../../shared/storage/object_store.ts";
import { createStorageApi, type StorageApi } from "../../../shared/storage/storage_api.ts";
import { type AppStack, withApp } from "../../support/app.ts";
import { keysOf } from "../../support/tokens.ts";
import { shopsOf } from "../shops/all.ts";
import type { Shop, ShopName } from "../shops/shop.ts";

/** Percent of the price that comes back when a video is cancelled after it was handed over. */
export const CANCEL_REFUND_PERCENT = 50;
/** Isolates at work at once; each may drain every stage. */
const ISOLATES = 2;
/** Short of production's, so that an answer that never comes is soon given up. */
const CALL_TIMEOUT_MS = 3_000;

/** A place to play at. */
export interface Site {
  readonly db: Database;
  /** The provider that everything is made by. */
  readonly shop: Shop;
  readonly isolates: readonly WorkerTools[];
  readonly providers: ReadonlyMap<string, VideoProvider>;
  readonly store: ObjectStore;
  readonly storage: StorageApi;
  readonly webhook: WebhookConfig;
  /** What must not happen however the provider behaves: errors logged or thrown, doors that answer 5xx. */
  readonly incidents: string[];
}

/** Whose sandbox is played with, and what its tasks' times are drawn from. */
export interface SiteOptions {
  readonly provider: ShopName;
  readonly seed: string;
}

/** Gives `work` a site on a fresh database. Nothing is rung for and no cron runs: rounds do the work. */
export function withSite(
  { provider, seed }: SiteOptions,
  work: (site: Site) => Promise<void>,
): Promise<void> {
  return withApp({
    functions: false,
    cron: false,
    doorbell: "off",
    ...sandboxesWith(seed),
    settings: {
      // Production's, which a stack with a sandbox would replace.
      poll_steps: [5, 10, 10, 15, 20, 30],
      cancel_refund_percent: CANCEL_REFUND_PERCENT,
    },
  }, async (app) => {
    const { db } = app;
    const shop = shopsOf(app.providers)[provider];
    // More than one worker at each stage, so that they meet.
    await db.query("update app.stages set drainers = greatest(drainers, $1)", [ISOLATES]);
    const incidents: string[] = [];
    const log = createLog({}, (line) => {
      if (line.startsWith('{"level":"error"')) incidents.push(line);
    });
    await withDoor(
      app,
      { log, incidents, provider },
      (webhook) =>
        withIsolates(app.databaseUrl, log, (isolates) =>
          work({
            db,
            shop,
            isolates,
            webhook,
            incidents,
            providers: providersFor(app.providers[provider], provider),
            store: createObjectStore({ url: app.supabaseUrl, secretKey: app.secretKey }),
            storage: createStorageApi({ url: app.supabaseUrl, secretKey: app.secretKey }),
          })),
    );
  });
}

function sandboxesWith(seed: string) {
  return {
    runware: { seed, knobs: { renderMs: 20_000, renderSpread: 0.5 } },
    runway: { seed, knobs: { renderMs: 20_000 } },
    // How many creates it takes in how long is a matter of real time, and has tests of its own.
    kie: { seed, knobs: { renderMs: 20_000, rateMost: 100_000 } },
  } satisfies Record<ShopName, SandboxOptions[ShopName]>;
}

function providersFor(
  { url = "", apiKey }: Choice,
  name: ShopName,
): ReadonlyMap<string, VideoProvider> {
  const config = { apiKey, url, mediaHosts: [new URL(url).host], timeoutMs: CALL_TIMEOUT_MS };
  const provider = {
    runware: () => createRunwareProvider(config),
    runway: () => createRunwayProvider(config),
    kie: () => createKieProvider({ ...config, pace: { most: 1_000, perMs: 1 } }),
  }[name]();
  return new Map([[name, provider]]);
}

/** Serves the product's webhook door as `<provider>-webhook` would be. */
async function withDoor(
  app: AppStack,
  { log, incidents, provider }: {
    readonly log: Log;
    readonly incidents: string[];
    readonly provider: ShopName;
  },
  work: (webhook: WebhookConfig) => Promise<void>,
): Promise<void> {
  const secrets: WebhookConfig["secrets"] = [(await keysOf(app)).webhookSecret];
  const client = createClient<Schema>(app.supabaseUrl, app.secretKey, {
    auth: { persistSession: false, autoRefreshToken: false },
  });
  const record = eventRecorder(provider, () => client);
  const door = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const visit = { requestId: crypto.randomUUID(), log };
    try {
      return await providerWebhook(request, visit, { webhook: { secrets }, record });
    } catch (error) {
      const status = error instanceof HttpError ? error.status : 500;
      incidents.push(`The webhook's door answered ${status}: ${error}`);
      return new Response(null, { status });
    }
  });
  try {
    await work({ secrets, baseUrl: `http://127.0.0.1:${door.addr.port}` });
  } finally {
    await door.shutdown();
  }
}

/** Isolates as edge functions are: each with a pool and a pg-boss of its own. */
async function withIsolates(
  url: string,
  log: Log,
  work: (isolates: WorkerTools[]) => Promise<void>,
): Promise<void> {
  const isolates = Array.from({ length: ISOLATES }, (_, nth) => {
    const database = openDatabase(url, { log });
    return { database, queue: openQueue(database, log), node: `isolate-${nth + 1}`, log };
  });
  try {
    await Promise.all(isolates.map(({ queue }) => queue.ready()));
    await work(isolates);
  } finally {
    for (const { queue, database } of isolates) {
      await queue.close();
      await database.close();
    }
  }
}
