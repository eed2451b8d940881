/**
 * `deno run -A tests/chaos/load.ts`: 2,000 videos from 200 users over HTTP, through a whole stack on a
 * Postgres of its own that is killed twice, while a tenth of the webhooks is lost. All are to end, paid
 * once, bought once, stored once; no answer tells what is inside. Prints what happened; ends with 1
 * where a promise was broken. LOAD_MINUTES (default 6) bounds it, for machines that others use too.
 */
import { assertEquals } from "@std/assert";
import { z } from "zod";
import { type Answer, type Customer, newCustomer, queue } from "../support/app.ts";
import { until } from "../support/until.ts";
import { assertDiscreet, GEMS } from "./outage/customers.ts";
import { assertAllIsWell, untilAllAreOver } from "./outage/ends.ts";
import { type OpenStack, withOpenStack } from "./outage/open_stack.ts";
import { type MortalPostgres, withOwnPostgres } from "./outage/own_postgres.ts";

const USERS = 200;
const VIDEOS_EACH = 10;
const WEBHOOKS_LOST = 0.1;
/** What an app waits after a refusal before it sends the same request again. */
const RETRY_MS = 500;
/** Sign-ups at once; passwords are hashed in the stack's own process. */
const SIGNING_UP = 10;
/** Postgres dies when so many videos are completed: early, and half-way. */
const DEATHS_AT = [50, 1_000] as const;
/** Longer than a run takes on two cores, signing up aside; a run that hangs is a run that failed. */
const MOST_MINUTES = Number(Deno.env.get("LOAD_MINUTES") ?? 6);
const NEWS_MS = 30_000;

async function completed(app: OpenStack): Promise<number> {
  const [row] = await app.db.query(
    "select count(*)::int as n from public.videos where status = 'completed'",
  );
  return Number(row?.["n"]);
}

/** Resolves once `least` videos are completed. A database that is away is asked again. */
function completedAtLeast(app: OpenStack, least: number): Promise<number> {
  return until(`${least} videos are completed`, async () => {
    const count = await completed(app);
    return count >= least ? count : undefined;
  }, { minutes: MOST_MINUTES });
}

async function killAt(app: OpenStack, postgres: MortalPostgres, least: number): Promise<void> {
  const count = await completedAtLeast(app, least);
  await postgres.kill();
  await postgres.restart();
  console.log(`  Postgres was killed with ${count} videos completed, and started again`);
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1_000).toFixed(0)} s`;
}

/** How often each status was answered. */
function statuses(refusals: readonly Answer[]): string {
  const counts = new Map<number, number>();
  for (const { status } of refusals) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, count]) => `${count} × ${status}`).join(", ") || "none";
}

async function signUp(app: OpenStack): Promise<Customer[]> {
  const people: Customer[] = [];
  const one = async () => {
    for (let left = USERS / SIGNING_UP; left > 0; left--) {
      people.push(await newCustomer(app, { gems: GEMS }));
    }
  };
  await Promise.all(Array.from({ length: SIGNING_UP }, one));
  return people;
}

/** Queues one video, again under the same key until it is answered with success. Answers its id. */
async function insist(app: OpenStack, person: Customer, refusals: Answer[]): Promise<string> {
  const key = crypto.randomUUID();
  for (;;) {
    const answer = await queue(app, person, { key });
    if (answer.status === 201) return z.object({ video_id: z.uuid() }).parse(answer.body).video_id;
    assertDiscreet(answer, app);
    refusals.push(answer);
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

/** All at once, each one video after the other. */
async function queueAll(
  app: OpenStack,
  people: readonly Customer[],
  refusals: Answer[],
): Promise<string[]> {
  const ids = await Promise.all(people.map(async (person) => {
    const own: string[] = [];
    while (own.length < VIDEOS_EACH) own.push(await insist(app, person, refusals));
    return own;
  }));
  return ids.flat();
}

async function tellProgress(app: OpenStack, when: string): Promise<void> {
  const text = "select v.status, count(*)::int as n from public.videos v group by v.status";
  // The database may be away just now, which is what this is about.
  const rows = await app.db.query(text).catch(() => []);
  console.log(`  ${when}: ${rows.map(({ status, n }) => `${n} ${status}`).join(", ")}`);
}

async function load(app: OpenStack, postgres: MortalPostgres): Promise<void> {
  app.sandbox.control.configure({ webhookLost: WEBHOOKS_LOST });
  const start = performance.now();
  const people = await signUp(app);
  const refusals: Answer[] = [];
  // A bound from outside, since what hangs may be any of the waits below.
  const bound = setTimeout(() => {
    console.error(`Not over ${MOST_MINUTES} minutes after the first video was queued`);
    Deno.exit(1);
  }, MOST_MINUTES * 60_000);
  console.log(`  ${USERS} users signed up after ${seconds(start)}`);
  const news = setInterval(() => void tellProgress(app, seconds(start)), NEWS_MS);
  const deaths = async () => {
    for (const least of DEATHS_AT) await killAt(app, postgres, least);
  };
  const queueing = async () => {
    const ids = await queueAll(app, people, refusals);
    console.log(`  ${ids.length} videos queued after ${seconds(start)}`);
    return ids;
  };
  const [ids] = await Promise.all([queueing(), deaths()]);
  await completedAtLeast(app, USERS * VIDEOS_EACH);
  await untilAllAreOver(app);
  clearTimeout(bound);
  clearInterval(news);
  console.log(`  All were over after ${seconds(start)}`);

  assertEquals(ids.length, USERS * VIDEOS_EACH);
  await assertAllIsWell(app, ids);
  const { counts } = app.sandbox.control.state();
  console.log(
    `  ${counts.tasksAccepted} tasks bought, ${counts.conflicts} handed over again and recognised, ` +
      `${counts.webhooksDropped} webhooks lost, ${counts.webhooksDelivered} delivered, ` +
      `${counts.submitPosts} submits, ${counts.pollPosts} polls`,
  );
  console.log(`  Refusals, asked again under the same key: ${statuses(refusals)}`);
}

console.log(`Load: ${USERS * VIDEOS_EACH} videos from ${USERS} users`);
await withOwnPostgres((postgres) =>
  withOpenStack({ directUrl: postgres.url }, (app) => load(app, postgres))
);
console.log("All ended, the ledger is exact, nothing was bought twice");
