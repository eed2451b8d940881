/**
 * backlog and history: what queueing and claiming cost in a small database, in one with many videos
 * waiting, and in one with many that are over. The three take turns.
 */
import { createPool } from "../../../local/pool.ts";
import { openQueue } from "../../../shared/db/queue.ts";
import { submitToProvider } from "../../../shared/stages/submit.ts";
import { quiet } from "../../support/sql.ts";
import { type Bench, type BenchContext, expect, flood, p, type Row, row } from "../bench.ts";
import type { BenchDatabase } from "../database.ts";
import { addBulk, type Bulk } from "./bulk.ts";
import { liftLimits, newCrowd } from "./crowd.ts";
import { assertBooks, assertLedger, queueOurs } from "./ours.ts";
import { assertNoSeqScan, plansOf } from "./plans.ts";
import { buildTask, instantProvider, startWorker } from "./worker.ts";

const SMALL = 1_000;
const ROUNDS = 10;
/** Queued, and then claimed again, by each database in each round. */
const PER_ROUND = 100;
const CLAIM = 10;
const OWNERS = 10_000;
const BUYERS = 200;

/** What a database holds besides its thousand that wait. */
type Load = Omit<Bulk, "owners">;

export const sizes: Bench = {
  name: "backlog-history",
  company: "prepares",
  run: async (context) => {
    const { withDatabase, full } = context;
    const waiting: Load = { status: "queued", count: 1_000_000 };
    const over: Load = { status: "completed", count: full ? 10_000_000 : 500_000 };
    const note = `${over.count.toLocaleString("en-US")} finished videos` +
      (full ? "" : "; 10,000,000 with --full");
    return await withDatabase((small) =>
      withDatabase((backlog) =>
        withDatabase(async (history) => {
          const start = performance.now();
          await Promise.all([fill(small), fill(backlog, waiting), fill(history, over)]);
          context.say(`Written in ${((performance.now() - start) / 1_000).toFixed(0)} s`);
          await context.alone();
          // All three alike: who writes a page first after a checkpoint writes it into the log whole.
          await small.rows("checkpoint");
          const { small: a, backlog: b, history: c } = await takeTurns({ small, backlog, history });
          await assertLeft(small);
          await assertLeft(backlog, waiting);
          await assertLeft(history, over);
          await showPlans(context, backlog);
          await showPlans(context, history);
          return [...judge("backlog", b, a, {}), ...judge("history", c, a, { note })];
        })
      )
    );
  },
};

/** A database under measurement. */
interface Patient extends Figures {
  round(): Promise<void>;
  close(): Promise<void>;
}

/** Milliseconds of each queue call and of each claim. */
interface Figures {
  readonly queueing: number[];
  readonly claiming: number[];
}

async function fill(database: BenchDatabase, load?: Load): Promise<void> {
  await liftLimits(database);
  const owners = await newCrowd(database, SMALL);
  await addBulk(database, { count: SMALL, status: "queued", owners });
  if (load) await addBulk(database, { ...load, owners: await newCrowd(database, OWNERS) });
}

/** Every second round goes backwards. */
async function takeTurns<Name extends string>(
  databases: Readonly<Record<Name, BenchDatabase>>,
): Promise<Record<Name, Figures>> {
  const names = Object.keys(databases) as Name[];
  const admitted = names.map(async (name) => [name, await admit(databases[name])] as const);
  const patients = Object.fromEntries(await Promise.all(admitted)) as Record<Name, Patient>;
  try {
    for (let round = 0; round < ROUNDS; round++) {
      for (const name of round % 2 === 0 ? names : names.toReversed()) await patients[name].round();
    }
  } finally {
    for (const name of names) await patients[name].close();
  }
  return patients;
}

function judge(
  name: string,
  big: Figures,
  small: Figures,
  note: { readonly note?: string },
): Row[] {
  const line = (what: keyof Figures, words: string) =>
    row({
      name: `${name}, ${words}`,
      ours: p(big[what], 0.95),
      peer: p(small[what], 0.95),
      peerName: `ours, ${SMALL} waiting`,
      unit: "ms p95",
      goal: { ratioAtMost: 1.5 },
      ...note,
    });
  return [line("queueing", "queue"), line("claiming", "claim")];
}

async function admit(database: BenchDatabase): Promise<Patient> {
  const buyers = await newCrowd(database, BUYERS);
  const driver = createPool(database.url, { name: "bench driver", max: 1 });
  const worker = await startWorker(database.url, { batch: CLAIM });
  const queueing: number[] = [];
  const claiming: number[] = [];
  let warm = false;
  return {
    queueing,
    claiming,
    async round() {
      const bought = await flood({ times: PER_ROUND, inFlight: 1 }, async (n) => {
        const family = buyers[n % buyers.length];
        if (family) await queueOurs(driver, family);
      });
      const before = worker.claims.length;
      await flood({ times: PER_ROUND / CLAIM, inFlight: 1 }, async () => {
        expect("Claimed", await worker.submit(), CLAIM);
      });
      // The first round fills caches of plans and pages.
      if (warm) {
        queueing.push(...bought.milliseconds);
        claiming.push(...worker.claims.slice(before));
      }
      warm = true;
    },
    async close() {
      await worker.close();
      await driver.end();
    },
  };
}

async function assertLeft(database: BenchDatabase, load?: Load): Promise<void> {
  const moved = ROUNDS * PER_ROUND;
  const all = SMALL + (load?.count ?? 0) + moved;
  await (load === undefined ? assertBooks : assertLedger)(database, { videos: all });
  const [counts] = await database.rows(
    "select count(*)::int as claimed from public.videos where status = 'processing'",
  );
  expect("Handed over", counts, { claimed: moved });
  const waiting = SMALL + (load?.status === "queued" ? load.count : 0);
  expect(
    "Waiting",
    await database.value(
      "select count(*)::int as value from pgboss.job where name = 'submit-runware' and state < 'active'",
    ),
    waiting,
  );
}

/** Nothing that the two do reads a growing table from end to end. */
async function showPlans({ say }: BenchContext, database: BenchDatabase): Promise<void> {
  const [buyer] = await newCrowd(database, 1);
  const plans = await plansOf(database.url, async (db) => {
    const queue = openQueue(db, quiet);
    const tools = { database: db, queue, node: "plans", log: quiet };
    if (buyer) {
      await db.query(
        `select public.queue_video($1, jsonb_build_object('child_id', $2::uuid,
         'rhyme_id', (select id from public.rhymes where slug like 'twinkle%')), 'bench', 60, null)`,
        [buyer.userId, buyer.childId],
      );
    }
    await submitToProvider(tools, instantProvider(CLAIM, () => {}), buildTask);
    await queue.close();
  });
  assertNoSeqScan(plans);
  const fetch = plans.find((plan) => plan.includes("SKIP LOCKED"));
  if (fetch === undefined) throw new Error("The claim's plan was not told");
  const scans = fetch.slice(fetch.lastIndexOf("Limit")).split("\n").slice(0, 4);
  say(`${plans.length} plans, no sequential scan of a growing table. The claim:`);
  for (const line of scans) say(`  ${line.trim()}`);
}
