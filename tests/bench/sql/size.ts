/**
 * backlog and history: what queueing and claiming cost in a small database and in one with many videos
 * waiting, or many that are over. Both databases take turns.
 */
import { createPool } from "../../../local/pool.ts";
import { openQueue } from "../../../shared/db/queue.ts";
import { submitToProvider } from "../../../shared/stages/submit.ts";
import { quiet } from "../../support/sql.ts";
import { type Bench, type BenchContext, expect, flood, p, type Row, row } from "../bench.ts";
import type { BenchDatabase } from "../database.ts";
import { addBulk, type Bulk } from "./bulk.ts";
import { liftLimits, newCrowd } from "./crowd.ts";
import { queueOurs } from "./ours.ts";
import { assertNoSeqScan, plansOf } from "./plans.ts";
import { buildTask, instantProvider, startWorker } from "./worker.ts";

const SMALL = 1_000;
const ROUNDS = 15;
/** Queued, and then claimed again, by each database in each round. */
const PER_ROUND = 100;
const CLAIM = 10;
const OWNERS = 10_000;
const BUYERS = 200;

export const backlog: Bench = {
  name: "backlog",
  run: (context) => compareSizes(context, "backlog", { status: "queued", count: 1_000_000 }, ""),
};

export const history: Bench = {
  name: "history",
  run: (context) => {
    const count = context.full ? 10_000_000 : 500_000;
    const note = `${count.toLocaleString("en-US")} finished videos` +
      (context.full ? "" : "; 10,000,000 with --full");
    return compareSizes(context, "history", { status: "completed", count }, note);
  },
};

/** A database under measurement. */
interface Patient {
  /** One round; milliseconds of each queue call and of each claim. */
  round(): Promise<void>;
  readonly queueing: number[];
  readonly claiming: number[];
  close(): Promise<void>;
}

async function compareSizes(
  context: BenchContext,
  name: string,
  bulk: Omit<Bulk, "owners">,
  note: string,
): Promise<Row[]> {
  return await context.withDatabase((small) =>
    context.withDatabase(async (big) => {
      for (const database of [small, big]) {
        await liftLimits(database);
        const owners = await newCrowd(database, SMALL);
        await addBulk(database, { count: SMALL, status: "queued", owners });
      }
      const start = performance.now();
      await addBulk(big, { ...bulk, owners: await newCrowd(big, OWNERS) });
      context.say(
        `${bulk.count} videos written in ${((performance.now() - start) / 1_000).toFixed(0)} s`,
      );
      const a = await admit(small);
      const b = await admit(big);
      try {
        for (let round = 0; round < ROUNDS; round++) {
          for (const patient of round % 2 === 0 ? [a, b] : [b, a]) await patient.round();
        }
      } finally {
        await a.close();
        await b.close();
      }
      await assertCounts(big, bulk);
      await showPlans(context, big);
      const judge = (what: "queueing" | "claiming", words: string) =>
        row({
          name: `${name}, ${words}`,
          ours: p(b[what], 0.95),
          peer: p(a[what], 0.95),
          peerName: `ours, ${SMALL} waiting`,
          unit: "ms p95",
          goal: { ratioAtMost: 1.5 },
          ...(note === "" ? {} : { note }),
        });
      return [judge("queueing", "queue"), judge("claiming", "claim")];
    })
  );
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

async function assertCounts(database: BenchDatabase, bulk: Omit<Bulk, "owners">): Promise<void> {
  const moved = ROUNDS * PER_ROUND;
  const [counts] = await database.rows(
    `select count(*)::int as videos, count(*) filter (where status = 'processing')::int as claimed from public.videos`,
  );
  expect("Videos, and those handed over", counts, {
    videos: SMALL + bulk.count + moved,
    claimed: moved,
  });
  const waiting = SMALL + (bulk.status === "queued" ? bulk.count : 0);
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
