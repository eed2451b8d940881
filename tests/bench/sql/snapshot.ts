/**
 * snapshot: while another connection holds a snapshot open, no dead row can be removed. How much slower
 * is taking work after many claims than at their beginning, here and at the peers?
 */
import { runOnce } from "graphile-worker";
import { createPool } from "../../../local/pool.ts";
import { withClient } from "../../../local/prepare.ts";
import { type Bench, expect, median, row } from "../bench.ts";
import type { BenchDatabase } from "../database.ts";
import { addBulk } from "./bulk.ts";
import { liftLimits, newCrowd } from "./crowd.ts";
import { assertBooks, finishAll } from "./ours.ts";
import { addToBoss, PEER_QUEUE, silent, startBoss, withGraphile } from "./peers.ts";
import { BATCH, startWorker } from "./worker.ts";

/** The first and the last of so many parts are compared. */
const PARTS = 10;
/** What is in flight is delivered this often, as in life; outside of the clock. */
const DELIVER_EVERY = 1_000;

export const snapshot: Bench = {
  name: "snapshot",
  run: async ({ withDatabase, full }) => {
    const count = full ? 100_000 : 20_000;
    const measure = async (open: Open) =>
      lost(
        await withDatabase((held) => withDatabase((free) => inTurn(open, { held, free }, count))),
      );
    const ours = await measure(openOurs);
    const boss = await measure(openBoss);
    // It loses more with each job that is over. Fewer of them are to its advantage, and spare minutes.
    const few = full ? count : count / 2;
    const graphile = lost(await withDatabase((database) => drainGraphile(database, few)));
    const common = {
      ours,
      unit: "% of the rate",
      note: `rate of the last tenth of ${count.toLocaleString("en-US")} claims beside the first, ` +
        "each beside the same without the snapshot; graphile's " +
        `${few.toLocaleString("en-US")} by themselves` + (full ? "" : "; 100,000 with --full"),
    };
    return [
      row({ ...common, name: "snapshot, lost", goal: { atMost: 20 } }),
      ...Object.entries({ "pg-boss": boss, graphile }).map(([peerName, peer]) =>
        row({
          ...common,
          name: `snapshot, lost, ${peerName}`,
          peer,
          peerName,
          goal: { ratioAtMost: 1 },
        })
      ),
    ];
  },
};

/** Percent of the first part's rate that the last part's lacks, by the median of what a piece took. */
function lost(pieces: readonly number[]): number {
  const part = Math.floor(pieces.length / PARTS);
  const first = median(pieces.slice(0, part));
  const last = median(pieces.slice(-part));
  return Math.max(0, (1 - first / last) * 100);
}

/** Work that waits in a database, taken batch by batch. */
interface Drain {
  /** Takes one batch. This is timed. */
  readonly batch: () => Promise<void>;
  /** Delivers what is in flight. */
  readonly deliver?: () => Promise<void>;
  /** Ends, and throws where not all was taken once. */
  readonly end: () => Promise<void>;
}

/** Puts so many pieces of work into a database. */
type Open = (database: BenchDatabase, count: number) => Promise<Drain>;

/**
 * What each batch took where a snapshot is held, in times of the batch right after it where none is: a
 * machine that becomes slower or faster on the way is so for both.
 */
async function inTurn(
  open: Open,
  { held, free }: { readonly held: BenchDatabase; readonly free: BenchDatabase },
  count: number,
): Promise<number[]> {
  const [slow, plain] = [await open(held, count), await open(free, count)];
  const pieces = await withSnapshot(held, count, async () => {
    const ratios: number[] = [];
    for (let taken = 0; taken < count; taken += BATCH) {
      ratios.push(await timed(slow.batch) / await timed(plain.batch));
      if (taken % DELIVER_EVERY === 0) await Promise.all([slow.deliver?.(), plain.deliver?.()]);
    }
    return ratios;
  });
  for (const drain of [slow, plain]) await drain.end();
  return pieces;
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/**
 * Runs `work`, which takes `count` pieces of work, while another connection holds a snapshot that is
 * older than all it does. Throws where the dead rows of it could have been removed all the same.
 */
async function withSnapshot<T>(
  database: BenchDatabase,
  count: number,
  work: () => Promise<T>,
): Promise<T> {
  return await withClient(database.url, async (holder) => {
    await holder.query("begin isolation level repeatable read");
    await holder.query("select count(*) from app.settings");
    const result = await work();
    await database.rows("vacuum");
    const dead = Number(
      await database.value("select sum(n_dead_tup) as value from pg_stat_user_tables"),
    );
    expect("As many dead rows are kept as pieces were taken", dead >= count, true);
    await holder.query("commit");
    return result;
  });
}

const openOurs: Open = async (database, count) => {
  await liftLimits(database);
  const owners = await newCrowd(database, 500);
  await addBulk(database, { count, status: "queued", owners });
  const worker = await startWorker(database.url);
  return {
    batch: async () => expect("Claimed", await worker.submit(), BATCH),
    deliver: () => finishAll(database),
    async end() {
      await worker.close();
      await finishAll(database);
      await assertBooks(database, { videos: count });
      expect("Different attempts", new Set(worker.handedOver).size, count);
    },
  };
};

const openBoss: Open = async (database, count) => {
  const boss = await startBoss(database, { connections: 4 });
  await addToBoss(boss, Array.from({ length: count }, () => ({})));
  await database.rows("vacuum (analyze) peer_boss.job");
  return {
    async batch() {
      const jobs = await boss.fetch(PEER_QUEUE, { batchSize: BATCH });
      await boss.complete(PEER_QUEUE, jobs.map(({ id }) => id));
      expect("Fetched", jobs.length, BATCH);
    },
    async end() {
      await boss.stop({ graceful: false });
      const completed =
        "select count(*)::int as value from peer_boss.job where state = 'completed'";
      expect("Completed", await database.value(completed), count);
    },
  };
};

/** Milliseconds between one piece of its runner's work and the next, fifty at a time. */
async function drainGraphile(database: BenchDatabase, count: number): Promise<number[]> {
  const pgPool = createPool(database.url, { name: "graphile", max: 4 });
  try {
    const jobs = Array.from({ length: count }, () => ({ identifier: PEER_QUEUE, payload: {} }));
    await withGraphile(pgPool, (graphile) => graphile.addJobs(jobs));
    await database.rows("vacuum (analyze)");
    const times: number[] = [];
    let done = 0;
    let start = performance.now();
    const task = () => {
      if (++done % BATCH !== 0) return;
      times.push(performance.now() - start);
      start = performance.now();
    };
    await withSnapshot(
      database,
      count,
      () => runOnce({ pgPool, logger: silent, taskList: { [PEER_QUEUE]: task } }),
    );
    expect("Done", done, count);
    expect(
      "Left",
      await database.value("select count(*)::int as value from graphile_worker.jobs"),
      0,
    );
    return times;
  } finally {
    await pgPool.end();
  }
}
