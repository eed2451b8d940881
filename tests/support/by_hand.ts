/** Stacks in which no worker runs unless the test runs it, and the steps of a video one by one. */
import { assertEquals } from "@std/assert";
import type { FunctionsHost } from "../../local/functions_server.ts";
import { functionsEnv as stackEnv } from "../../local/stack_env.ts";
import type { RunwareSandbox } from "../../local/sandbox/runware.ts";
import { type AppOptions, type AppStack, BY_HAND, withApp, work } from "./app.ts";
import { brokenInvariants, newestJob, passTime } from "./fixtures.ts";
import { keysOf } from "./tokens.ts";

/** A stack by hand, which always has functions and the sandbox. */
export interface HandStack extends AppStack {
  readonly functions: FunctionsHost;
  readonly sandbox: RunwareSandbox;
}

/**
 * Gives `work` a stack where nothing happens by itself (see BY_HAND) and a poll comes due with the
 * minute that `polled` lets pass, never with the second the sandbox is asked each otherwise. The
 * invariants are looked at when `work` is done.
 */
export function byHand(options: AppOptions, work: (app: HandStack) => Promise<void>) {
  const settings = { poll_steps: [30], ...options.settings };
  return withApp({ ...BY_HAND, ...options, settings }, async (app) => {
    const { functions, sandbox } = app;
    if (functions === null || sandbox === null) throw new Error("Functions or sandbox are missing");
    await work({ ...app, functions, sandbox });
    assertEquals(await brokenInvariants(app.db), []);
  });
}

/** Hands over what is queued and due. Answers the id of the video's newest attempt. */
export async function submitted(app: HandStack, videoId: string): Promise<string> {
  await work(app, "submit-videos");
  return (await newestJob(app.db, videoId)).id;
}

/** Asks about everything in flight, as if its next poll had come. */
export async function polled(app: HandStack): Promise<void> {
  await passTime(app.db, "1 minute");
  await work(app, "poll-videos");
}

/** Takes a queued video to "delivered, not stored yet". Answers the id of its attempt. */
export async function delivered(app: HandStack, videoId: string): Promise<string> {
  const jobId = await submitted(app, videoId);
  app.sandbox.control.finish(jobId);
  await polled(app);
  return jobId;
}

/** Tries to store what is delivered, as if each pause between two tries were over. */
export async function stored(app: HandStack): Promise<void> {
  await passTime(app.db, "3 minutes");
  await work(app, "store-videos");
}

/** Everything that may run, several times over, with enough time between for every lease to end. */
export async function muchLater({ app }: { readonly app: HandStack }): Promise<void> {
  for (let round = 0; round < 3; round++) {
    await passTime(app.db, "6 minutes");
    await work(app, "maintain");
    await work(app, "submit-videos");
    await work(app, "poll-videos");
  }
}

/** How many rows each table of `public` has, and the queue. Equal before and after: nothing was written. */
export async function rowCounts(app: AppStack): Promise<Record<string, number>> {
  const tables = await app.db.query(
    "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = 'public'",
  );
  const names = [...tables.map((row) => String(row["name"])), "pgboss.job"];
  const counts = await app.db.query(
    names.map((name) => `select '${name}' as name, count(*)::int as rows from ${name}`)
      .join(" union all "),
  );
  return Object.fromEntries(counts.map((row) => [String(row["name"]), Number(row["rows"])]));
}

/** What the functions of a stack are told (with webhooks on), for a restart with one value changed. */
export async function functionsEnv(app: HandStack): Promise<Record<string, string>> {
  const { providers, notify, databaseUrl, supabaseUrl } = app;
  return stackEnv({
    options: {},
    env: {},
    keys: await keysOf(app),
    providers,
    notify,
    databaseUrl,
    url: supabaseUrl,
  });
}
