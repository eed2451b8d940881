import { assertEquals } from "@std/assert";
import type { Database, Sql } from "../../shared/db/database.ts";
import { rebasePriorities } from "../../shared/db/maintain_calls.ts";
import { openQueue, type WorkQueue } from "../../shared/db/queue.ts";
import { startSubmissions } from "../../shared/db/submit_calls.ts";
import { newestJob, newFamily, queueVideo, value } from "../support/fixtures.ts";
import { overlapping } from "../support/overlap.ts";
import { quiet, withSql } from "../support/sql.ts";

/** Further than a base is ever left behind. */
const FAR = 1_073_741_825;

/** As after so many videos that a queue's clock has come that far. */
const passBillions = (sql: Sql, tag = FAR) =>
  sql.query("update app.fair_clocks set tag = $1 where provider = 'runware'", [tag]);

const clock = async (sql: Sql) =>
  (await sql.query(
    "select tag::float8, base::float8 from app.fair_clocks where provider = 'runware'",
  ))[0];

/** A queued video's attempt, and where it is in the queue. */
async function queued(sql: Sql, videoId: string) {
  const { id } = await newestJob(sql, videoId);
  const priority = await value(sql, "select priority as value from pgboss.job where id = $1", [id]);
  return { id, priority };
}

/** Gives `work` the queue as a worker has it. */
async function withQueue<T>(db: Database, work: (queue: WorkQueue) => Promise<T>): Promise<T> {
  const queue = openQueue(db, quiet);
  await queue.ready();
  return await work(queue).finally(() => queue.close());
}

/** Takes the next from the queue, and starts it. */
function takeNext(db: Database, queue: WorkQueue) {
  return db.transaction(async (sql) => {
    await sql.query("select app.submission_slots('runware', 1)");
    const jobs = await queue.fetch(sql, "submit-runware", 1);
    await startSubmissions(sql, jobs.map(({ id }) => id), "w");
    return jobs;
  });
}

Deno.test("rebase: the fair order goes on as it was, and the clock with it", async () => {
  await withSql((db) =>
    withQueue(db, async (queue) => {
      const [many, few, late] = [
        await newFamily(db, { gems: 100 }),
        await newFamily(db, { gems: 100 }),
        await newFamily(db, { gems: 100 }),
      ];
      await passBillions(db);
      const ofMany: string[] = [];
      for (let n = 0; n < 4; n++) ofMany.push((await queueVideo(db, many)).video_id);
      const [first = "", second = "", third = "", fourth = ""] = ofMany;
      const other = (await queueVideo(db, few)).video_id;
      assertEquals((await queued(db, fourth)).priority, -(FAR + 40));
      const taken = await takeNext(db, queue);

      assertEquals(await rebasePriorities(db), 1);
      assertEquals(await clock(db), { tag: FAR + 10, base: FAR + 10 });
      assertEquals((await queued(db, fourth)).priority, -30);
      assertEquals((await queued(db, other)).priority, 0);
      assertEquals(await rebasePriorities(db), 0, "once is enough");

      // Who comes now stands with the second of who came first.
      const newcomer = (await queueVideo(db, late)).video_id;
      assertEquals((await queued(db, newcomer)).priority, -10);
      const order = [];
      for (const videoId of [first, other, second, newcomer, third, fourth]) {
        order.push((await queued(db, videoId)).id);
      }
      while (taken.length < order.length) taken.push(...await takeNext(db, queue));
      assertEquals(taken.map(({ id }) => id), order);
      assertEquals(await clock(db), { tag: FAR + 40, base: FAR + 10 });
    })
  );
});

Deno.test("rebase: what had come to the end of priorities already is at the front", async () => {
  await withSql((db) =>
    withQueue(db, async (queue) => {
      const family = await newFamily(db, { gems: 100 });
      await passBillions(db, 5_000_000_000);
      const { id, priority } = await queued(db, (await queueVideo(db, family)).video_id);
      assertEquals(priority, -2_147_483_647);
      assertEquals(await rebasePriorities(db), 1);
      assertEquals((await takeNext(db, queue)).map(({ id }) => id), [id]);
      assertEquals(await clock(db), { tag: 5_000_000_000, base: 5_000_000_000 });
    })
  );
});

Deno.test("rebase: a job that pg-boss brings back meanwhile, by a copy, is not left behind", async () => {
  await withSql((db) =>
    withQueue(db, async (queue) => {
      const family = await newFamily(db, { gems: 100 });
      await passBillions(db);
      const { video_id: videoId } = await queueVideo(db, family);
      const taken = await db.transaction((sql) => queue.fetch(sql, "submit-runware", 1));
      const { second, waited } = await overlapping(
        db,
        (sql) => queue.retryLater(sql, "submit-runware", taken, "Not now"),
        () => rebasePriorities(db),
      );
      assertEquals({ waited, second }, { waited: true, second: 1 });
      assertEquals((await queued(db, videoId)).priority, -10);
    })
  );
});

Deno.test("rebase: an order that came meanwhile is counted from the new base", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 100 });
    await passBillions(db);
    const { second, waited } = await overlapping(
      db,
      (sql) => rebasePriorities(sql),
      () => queueVideo(db, family),
    );
    assertEquals(waited, true);
    assertEquals((await queued(db, second.video_id)).priority, -10);
  });
});

Deno.test("rebase: it waits for an order that has read the old base", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 100 });
    await passBillions(db);
    const { first, second, waited } = await overlapping(
      db,
      (sql) => queueVideo(sql, family),
      () => rebasePriorities(db),
    );
    assertEquals({ waited, second }, { waited: true, second: 1 });
    assertEquals((await queued(db, first.video_id)).priority, -10);
  });
});

Deno.test("rebase: a queue that stays busy is left for the next round", async () => {
  await withSql(async (db) => {
    await passBillions(db);
    let round: Promise<number> | undefined;
    const { second } = await overlapping(
      db,
      (sql) => sql.query("select 1 from app.fair_clocks"),
      () => round = rebasePriorities(db),
      () => Promise.resolve(round),
    );
    assertEquals(second, 0);
    assertEquals(await clock(db), { tag: FAR, base: 0 });
  });
});
