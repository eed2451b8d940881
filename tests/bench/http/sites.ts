/**
 * The two systems that are compared: the product, and the baseline of tests/bench/naive. Each is a
 * whole local stack of the same making, with a database of its own on the same Postgres.
 */
import { fileURLToPath } from "node:url";
import type pg from "pg";
import { z } from "zod";
import { createPool } from "../../../local/pool.ts";
import type { RunwareSandbox } from "../../../local/sandbox/runware.ts";
import { type Stack, type StackOptions, startStack } from "../../../local/stack.ts";
import { TWINKLE } from "../../support/fixtures.ts";
import { databaseUrl, runOn, type TestServer } from "../../support/server.ts";
import { signUp } from "../../support/users.ts";
import { type Relay, startRelay } from "./relay.ts";
import { startWire, type Wire } from "./wire.ts";

const NAIVE = fileURLToPath(new URL("../naive/supabase", import.meta.url));
/** Gems of everyone; nobody is to run out. */
const GEMS = 1_000_000;

/** Settings of the platform, where the provider is no sandbox; the local stack is more curious. */
export const PLATFORM = { poll_steps: [5, 10, 10, 15, 20, 30], quiet_percent: 120 } as const;

/** A running system. */
export interface Site {
  readonly name: "ours" | "naive";
  readonly stack: Stack;
  readonly sandbox: RunwareSandbox;
  /** The database, around the relay. */
  readonly db: pg.Pool;
  /** What the system sends to its database, and its functions to the APIs. Null unless counted. */
  readonly counters: Counters | null;
}

/** What stands between the parts of a system to count what passes. */
export interface Counters {
  readonly wire: Wire;
  readonly relay: Relay;
}

/** How the systems are started. */
export interface SiteOptions extends StackOptions {
  /** Counts what they send to their databases and APIs, which slows them down. */
  readonly counted?: true;
}

/** Gives `work` the product, running. */
export function withOurs<T>(
  server: TestServer,
  options: SiteOptions,
  work: (site: Site) => Promise<T>,
): Promise<T> {
  return withSite(server, "ours", options, async (site) => {
    // A cron job belongs to the database it was scheduled in, which for a copy is the template.
    await site.db.query("update cron.job set database = current_database()");
    // What an operator of this size would set; how much one user may queue is not what is measured.
    await site.db.query("update app.settings set queue_limit = 100000");
    await site.db.query("update app.providers set max_in_flight = 100000");
    return await work(site);
  });
}

/** Gives `work` the baseline, running. */
function withNaive<T>(
  server: TestServer,
  { settings: _, ...options }: SiteOptions,
  work: (site: Site) => Promise<T>,
): Promise<T> {
  return withSite(server, "naive", { ...options, cron: false, supabaseDir: NAIVE }, work);
}

/** Gives `work` both. */
export function withBoth<T>(
  server: TestServer,
  options: SiteOptions,
  work: (ours: Site, naive: Site) => Promise<T>,
): Promise<T> {
  return withOurs(
    server,
    options,
    (ours) => withNaive(server, options, (naive) => work(ours, naive)),
  );
}

async function withSite<T>(
  server: TestServer,
  name: Site["name"],
  { counted, ...options }: SiteOptions,
  work: (site: Site) => Promise<T>,
): Promise<T> {
  const database = `bench_${name}_${crypto.randomUUID().slice(0, 8)}`;
  await runOn(
    server.url,
    `create database ${database}` + (name === "ours" ? ` template ${server.template}` : ""),
  );
  const url = databaseUrl(server.url, database);
  const dataDir = await Deno.makeTempDir({ prefix: "gemreel-bench-" });
  const counters = counted ? { wire: startWire(url), relay: startRelay() } : null;
  const db = createPool(url, { name: "bench", max: 10 });
  try {
    const stack = await startStack({
      dataDir,
      databaseUrl: counters?.wire.url ?? url,
      port: 0,
      sandboxPort: 0,
      env: {},
      quiet: true,
      ...options,
      ...(counters && { functionsEnv: { SUPABASE_URL: counters.relay.url } }),
    });
    try {
      counters?.relay.connect(stack.supabaseUrl);
      if (stack.sandbox === null) throw new Error("A benchmark runs against the sandbox only");
      return await work({ name, stack, sandbox: stack.sandbox, db, counters });
    } finally {
      await stack.stop();
    }
  } finally {
    await db.end();
    counters?.wire.close();
    await counters?.relay.close();
    await runOn(server.url, `drop database ${database} with (force)`);
    await Deno.remove(dataDir, { recursive: true });
  }
}

/** A signed-in parent with a child and more gems than can be spent. */
export interface Person {
  readonly userId: string;
  readonly token: string;
  readonly childId: string;
}

/** Signs people up. */
export async function people(site: Site, count: number): Promise<Person[]> {
  const all: Person[] = [];
  for (let i = 0; i < count; i++) {
    const { id: userId, token } = await signUp(site.stack);
    all.push({ userId, token, childId: await furnish(site, userId) });
  }
  return all;
}

/** Gives a user a child and gems, each in its system's own way. Answers the child's id. */
async function furnish(site: Site, userId: string): Promise<string> {
  if (site.name === "ours") {
    await site.db.query("select public.grant_gems($1, $2, 'purchase', 'Bench', $3)", [
      userId,
      GEMS,
      crypto.randomUUID(),
    ]);
  } else {
    await site.db.query("update public.users set gem_balance = $2 where id = $1", [userId, GEMS]);
  }
  const { rows } = await site.db.query<{ id: string }>(
    "insert into public.children (user_id, name) values ($1, 'Mia') returning id",
    [userId],
  );
  return z.uuid().parse(rows[0]?.id);
}

/** Queues one video over HTTP, as the app does. Throws unless it is answered with 201. */
export async function queueOne(site: Site, person: Person): Promise<void> {
  const response = await fetch(`${site.stack.supabaseUrl}/functions/v1/queue-video`, {
    method: "POST",
    headers: {
      apikey: site.stack.publishableKey,
      authorization: `Bearer ${person.token}`,
      "content-type": "application/json",
      "idempotency-key": crypto.randomUUID(),
    },
    body: JSON.stringify({ child_id: person.childId, rhyme_id: TWINKLE }),
  });
  const text = await response.text();
  if (response.status !== 201) throw new Error(`queue-video answered ${response.status}: ${text}`);
}

/** Calls a worker of either system with a key that it takes. Resolves when it has answered. */
export async function callWorker(site: Site, path: string, body: unknown = {}): Promise<void> {
  const { stack } = site;
  const response = await fetch(`${stack.supabaseUrl}/functions/v1/${path}`, {
    method: "POST",
    headers: {
      apikey: site.name === "ours" ? stack.cronKey : stack.secretKey,
      "content-type": "application/json",
    },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
}

/** One number that a statement answers. */
export async function number(site: Site, text: string, values: unknown[] = []): Promise<number> {
  const { rows } = await site.db.query<Record<string, unknown>>(text, values);
  return Number(Object.values(rows[0] ?? {})[0]);
}

/** Calls of functions since the start. */
export function functionCalls({ stack: { functions } }: Site): number {
  if (functions === null) throw new Error("This system's functions are served elsewhere");
  return [...functions.requests.values()].reduce((sum, count) => sum + count, 0);
}
