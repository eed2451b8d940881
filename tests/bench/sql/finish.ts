/**
 * finish: a delivered attempt becomes rows and a job of the next stage, beside pg-boss's bare fetch and
 * complete.
 */
import { openDatabase } from "../../../shared/db/database.ts";
import { settleVideoJobs } from "../../../shared/db/poll_calls.ts";
import { quiet } from "../../support/sql.ts";
import { type Bench, expect, flood, interleave, row } from "../bench.ts";
import { addBulk } from "./bulk.ts";
import { liftLimits, newCrowd } from "./crowd.ts";
import { assertBooks } from "./ours.ts";
import { addToBoss, PEER_QUEUE, withBoss } from "./peers.ts";

const IN_FLIGHT = 16;
const ROUNDS = 12;
const SINGLES = 250;
const BATCH = 100;
const BATCHES = 6;
const PER_ROUND = SINGLES + BATCH * BATCHES;
const TOTAL = (ROUNDS + 1) * PER_ROUND;

export const finish: Bench = {
  name: "finish",
  run: ({ withDatabase }) =>
    withDatabase(async (database) => {
      await liftLimits(database);
      const owners = await newCrowd(database, 500);
      await addBulk(database, { count: TOTAL, status: "processing", owners });
      const ids = (await database.rows<{ id: string }>("select id from public.video_jobs")).map((
        { id },
      ) => id);
      const db = openDatabase(database.url, { log: quiet, max: IN_FLIGHT });
      let next = 0;
      const settle = (count: number) =>
        settleVideoJobs(
          db,
          ids.slice(next, next += count).map((id) => ({
            video_job_id: id,
            state: "succeeded",
            video_url: "https://vm.runware.ai/video/bench.mp4",
            cost_usd: 0.3,
          })),
        );
      const figures = await withBoss(database, { connections: IN_FLIGHT }, async (boss) => {
        await addToBoss(boss, Array.from({ length: TOTAL }, () => ({})));
        return await interleave({
          single: async () =>
            (await flood({ times: SINGLES, inFlight: IN_FLIGHT }, () => settle(1))).rate,
          batch: async () =>
            (await flood({ times: BATCHES, inFlight: 2 }, () => settle(BATCH))).rate * BATCH,
          boss: async () =>
            (await flood({ times: SINGLES, inFlight: IN_FLIGHT }, async () => {
              const [job] = await boss.fetch(PEER_QUEUE);
              if (job) await boss.complete(PEER_QUEUE, job.id);
            })).rate,
          bossBatch: async () =>
            (await flood({ times: BATCHES, inFlight: 2 }, async () => {
              const jobs = await boss.fetch(PEER_QUEUE, { batchSize: BATCH });
              await boss.complete(PEER_QUEUE, jobs.map(({ id }) => id));
            })).rate * BATCH,
        }, { rounds: ROUNDS });
      }).finally(() => db.close());

      await assertBooks(database, { videos: TOTAL });
      const [counts] = await database.rows(
        `select
          (select count(*)::int from public.video_jobs where status = 'completed') as attempts,
          (select count(*)::int from public.videos where status = 'rendering') as videos,
          (select count(*)::int from pgboss.job where name = 'store-video') as store_jobs,
          (select count(*)::int from public.video_progress where stage = 'rendering') as entries,
          (select count(*)::int from peer_boss.job where name = $1 and state = 'completed') as boss`,
        [PEER_QUEUE],
      );
      expect("Settled", counts, {
        attempts: TOTAL,
        videos: TOTAL,
        store_jobs: TOTAL,
        entries: TOTAL,
        boss: TOTAL,
      });
      const common = {
        peer: figures.boss,
        peerName: "pg-boss fetch + complete",
        unit: "attempts/s",
      };
      return [
        row({
          ...common,
          name: "finish, one by one",
          ours: figures.single,
          goal: { ratioAtLeast: 1 },
        }),
        row({
          ...common,
          name: "finish, by the hundred",
          ours: figures.batch,
          goal: { ratioAtLeast: 5 },
        }),
        row({
          ...common,
          name: "finish, by the hundred both",
          ours: figures.batch,
          peer: figures.bossBatch,
          goal: "printed",
        }),
      ];
    }),
};
