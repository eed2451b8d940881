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
import { addToBoss, PEER_QUEUE, silent, withBoss, withGraphile } from "./peers.ts";
import { BATCH, startWorker } from "./worker.ts";

/** The first and the last of so many parts are compared. */
const PARTS = 10;
/** What is in flight is delivered this often, as in life; outside of the clock. */
const DELIVER_EVERY = 1_000;

export const snapshot: Bench = {
  name: "snapshot",
  run: async ({ withDatabase, full }) => {
    const count = full ? 100_000 : 20_000;
    const measure = (work: (database: BenchDatabase) => Promise<number[]>) =>
      withDatabase(async (database) => lost(await work(database)));
    const ours = await measure((database) => drainOurs(database, count));
    const boss = await measure((database) => drainBoss(database, count));
    // It loses more with each job that is over. Fewer of them are to its advantage, and spare minutes.
    const few = full ? count : count / 2;
    const graphile = await measure((database) => drainGraphile(database, few));
    const common = {
      ours,
      unit: "% of the rate",
      note: `rate of the last tenth of ${count.toLocaleString("en-US")} claims beside the first` +
        (full ? "" : `, of ${few.toLocaleString("en-US")} for graphile; 100,000 with --full`),
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
function lost(milliseconds: readonly number[]): number {
  const part = Math.floor(milliseconds.length / PARTS);
  const first = median(milliseconds.slice(0, part));
  const last = median(milliseconds.slice(-part));
  return Math.max(0, (1 - first / last) * 100);
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

/** Milliseconds of each batch. */
async function drainOurs(database: BenchDatabase, count: number): Promise<number[]> {
  await liftLimits(database);
  const owners = await newCrowd(database, 500);
  await addBulk(database, { count, status: "queued", owners });
  const worker = await startWorker(database.url);
  const milliseconds = await withSnapshot(database, count, async () => {
    const times: number[] = [];
    for (let taken = 0; taken < count; taken += BATCH) {
      const start = performance.now();
      expect("Claimed", await worker.submit(), BATCH);
      times.push(performance.now() - start);
      if (taken % DELIVER_EVERY === 0) await finishAll(database);
    }
    return times;
  });
  await worker.close();
  await finishAll(database);
  await assertBooks(database, { videos: count });
  expect("Different attempts", new Set(worker.handedOver).size, count);
  return milliseconds;
}

/** Milliseconds of each fetch and complete of a batch. */
async function drainBoss(database: BenchDatabase, count: number): Promise<number[]> {
  return await withBoss(database, { connections: 4 }, async (boss) => {
    await addToBoss(boss, Array.from({ length: count }, () => ({})));
    await database.rows("vacuum (analyze) peer_boss.job");
    const milliseconds = await withSnapshot(database, count, async () => {
      const times: number[] = [];
      for (let taken = 0; taken < count;) {
        const start = performance.now();
        const jobs = await boss.fetch(PEER_QUEUE, { batchSize: BATCH });
        await boss.complete(PEER_QUEUE, jobs.map(({ id }) => id));
        times.push(performance.now() - start);
        expect("Fetched", jobs.length, BATCH);
        taken += jobs.length;
      }
      return times;
    });
    expect(
      "Completed",
      await database.value(
        "select count(*)::int as value from peer_boss.job where state = 'completed'",
      ),
      count,
    );
    return milliseconds;
  });
}

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
