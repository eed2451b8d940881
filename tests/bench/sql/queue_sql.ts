/** queue.sql: paid videos a second through one driver, beside what queues alone and Postgres can do. */
import { createPool } from "../../../local/pool.ts";
import { type Bench, expect, flood, interleave, row } from "../bench.ts";
import { newCrowd } from "./crowd.ts";
import { assertBooks, placerOf, queueOurs } from "./ours.ts";
import { PEER_QUEUE, withBoss, withGraphile } from "./peers.ts";

const IN_FLIGHT = 16;
const CALLS = 1_000;
const ROUNDS = 5;
/**
 * Enough that calls rarely meet at one user's row, as in a crowd of customers, and that nobody comes to
 * the limit of videos under way.
 */
const USERS = 1_000;

export const queueSql: Bench = {
  name: "queue.sql",
  run: ({ withDatabase }) =>
    withDatabase(async (database) => {
      const crowd = await newCrowd(database, USERS);
      await database.rows(
        "create table public.floor (id uuid primary key, data jsonb, created_at timestamptz default now())",
      );
      const driver = createPool(database.url, { name: "bench driver", max: IN_FLIGHT });
      const place = placerOf(driver);
      const shape = { times: CALLS, inFlight: IN_FLIGHT };
      const figures = await withBoss(database, { connections: IN_FLIGHT }, (boss) =>
        withGraphile(driver, (graphile) =>
          interleave({
            ours: async () =>
              (await flood(shape, (n) => {
                const family = crowd[n % crowd.length];
                return family ? place(family) : Promise.resolve();
              })).rate,
            alone: async () =>
              (await flood(shape, (n) => {
                const family = crowd[n % crowd.length];
                return family ? queueOurs(driver, family) : Promise.resolve();
              })).rate,
            boss: async () =>
              (await flood(shape, () =>
                boss.send(PEER_QUEUE, { video_job_id: crypto.randomUUID() }))).rate,
            graphile: async () =>
              (await flood(shape, () =>
                graphile.addJob(PEER_QUEUE, { video_job_id: crypto.randomUUID() }))).rate,
            floor: async () =>
              (await flood(shape, () => {
                const id = crypto.randomUUID();
                return driver.query({
                  name: "floor",
                  text: "insert into public.floor (id, data) values ($1, $2)",
                  values: [id, { video_job_id: id }],
                });
              })).rate,
          }, { rounds: ROUNDS }))).finally(() =>
          driver.end());

      const calls = CALLS * (ROUNDS + 1);
      await assertBooks(database, { videos: 2 * calls });
      const counts = await database.rows(`select
        (select count(*)::int from pgboss.job where name = 'submit-runware') as ours,
        (select count(*)::int from peer_boss.job where name = '${PEER_QUEUE}') as boss,
        (select count(*)::int from graphile_worker.jobs) as graphile,
        (select count(*)::int from public.floor) as floor`);
      expect("Rows of each", counts, [{
        ours: 2 * calls,
        boss: calls,
        graphile: calls,
        floor: calls,
      }]);

      const common = { ours: figures.ours, unit: "orders/s" };
      return [
        row({
          ...common,
          name: "queue.sql, pg-boss",
          peer: figures.boss,
          peerName: "pg-boss send",
          goal: { ratioAtLeast: 1.2 },
        }),
        row({
          ...common,
          name: "queue.sql, graphile",
          peer: figures.graphile,
          peerName: "graphile add_job",
          goal: { ratioAtLeast: 2 },
        }),
        row({
          ...common,
          name: "queue.sql, floor",
          peer: figures.floor,
          peerName: "floor (one insert)",
          goal: { ratioAtLeast: 0.3 },
        }),
        row({
          name: "queue.sql, a call each",
          ours: figures.alone,
          unit: "orders/s",
          goal: "printed",
          peer: figures.boss,
          peerName: "pg-boss send",
        }),
      ];
    }),
};
