import { assert, assertEquals } from "@std/assert";
import { type Database, openDatabase, type Sql } from "../../shared/db/database.ts";
import {
  recordSubmissions,
  startSubmissions,
  submissionSlots,
} from "../../shared/db/submit_calls.ts";
import { withClient } from "../../local/prepare.ts";
import { withDatabase } from "../support/database.ts";
import {
  accept,
  brokenInvariants,
  deliver,
  type Family,
  newestJob,
  newFamily,
  passTime,
  queueVideo,
  value,
} from "../support/fixtures.ts";
import { quiet, withSql } from "../support/sql.ts";

const freeSlots = (sql: Sql) => value(sql, "select app.free_slots('runware') as value");

/** A video that the provider has. */
const takenBy = async (db: Database, family: Family): Promise<string> =>
  await accept(db, (await queueVideo(db, family)).video_id);

Deno.test("slots: what runs long is counted, however many come and go meanwhile", async () => {
  await withSql(async (db) => {
    await db.query("update app.providers set max_in_flight = 5");
    const family = await newFamily(db, { gems: 1_000 });
    const long = await takenBy(db, family);
    for (let n = 0; n < 3; n++) {
      const short = await takenBy(db, family);
      assertEquals(await freeSlots(db), 3);
      await deliver(db, short);
      assertEquals(await freeSlots(db), 4);
      await passTime(db, "1 minute");
    }
    await deliver(db, long);
    assertEquals(await freeSlots(db), 5);
    const next = await takenBy(db, family);
    assertEquals(await freeSlots(db), 4);
    assertEquals(
      await value(
        db,
        `select c.counted_from = j.processing_started_at as value
         from app.fair_clocks c, public.video_jobs j where c.provider = 'runware' and j.id = $1`,
        [next],
      ),
      true,
      "counting begins at the oldest that is left",
    );
  });
});

Deno.test("slots: a claim whose worker vanished is counted again once it is claimed again", async () => {
  await withSql(async (db) => {
    await db.query("update app.providers set max_in_flight = 5");
    const family = await newFamily(db, { gems: 1_000 });
    const { id } = await newestJob(db, (await queueVideo(db, family)).video_id);
    await startSubmissions(db, [id], "one");
    await passTime(db, "1 hour");
    await takenBy(db, family);
    assertEquals(await freeSlots(db), 4);
    await startSubmissions(db, [id], "two");
    assertEquals(await freeSlots(db), 3);
  });
});

Deno.test("slots: when the clock is set back, what is claimed then is counted all the same", async () => {
  await withSql(async (db) => {
    await db.query("update app.providers set max_in_flight = 5");
    const family = await newFamily(db, { gems: 1_000 });
    await takenBy(db, family);
    // As it looks when what was claimed before was claimed an hour from now.
    await passTime(db, "-1 hour");
    await takenBy(db, family);
    assertEquals(await freeSlots(db), 3);
  });
});

Deno.test("slots: an attempt that would not be counted is a broken invariant", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 1_000 });
    await takenBy(db, family);
    assertEquals(await brokenInvariants(db), []);
    await db.query("update app.fair_clocks set counted_from = now() + interval '1 hour'");
    const broken = await brokenInvariants(db);
    assertEquals(broken.map((row) => row["invariant"]), ["in flight and not counted"]);
  });
});

Deno.test("slots: while an old snapshot is held, counting does not read what is over", async () => {
  await withDatabase(async ({ url }) => {
    const db = openDatabase(url, { log: quiet });
    try {
      await db.query("update app.settings set queue_limit = 1000");
      const family = await newFamily(db, { gems: 10_000 });
      await withClient(url, async (holder) => {
        await holder.query("begin isolation level repeatable read");
        await holder.query("select count(*) from app.settings");
        for (const id of await takenAtOnce(db, family, 600)) await deliver(db, id);
        await takenBy(db, family);
        const counting = await blocksOf(db, "select app.free_slots('runware')");
        const everything = await blocksOf(
          db,
          "select count(*) from public.video_jobs where provider = 'runware' and in_flight",
        );
        assert(everything > 2 * counting, `${counting} blocks of ${everything}`);
      });
      assertEquals(await submissionSlots(db, "runware", 1_000), 199);
    } finally {
      await db.close();
    }
  });
});

/** Attempts that are claimed and taken in one call. */
async function takenAtOnce(db: Database, family: Family, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    ids.push((await newestJob(db, (await queueVideo(db, family)).video_id)).id);
  }
  await startSubmissions(db, ids, "test");
  await recordSubmissions(
    db,
    ids.map((id) => ({ video_job_id: id, outcome: "accepted", provider_task_id: id })),
    "test",
  );
  return ids;
}

/** How many blocks a statement looks at, when it is run once more. */
async function blocksOf(db: Database, statement: string): Promise<number> {
  return await db.transaction(async (sql) => {
    await sql.query("set local enable_seqscan = off");
    await sql.query(statement);
    const [row] = await sql.query(`explain (analyze, buffers, format json) ${statement}`);
    const [{ Plan: plan }] = row?.["QUERY PLAN"] as [{ Plan: Record<string, number> }];
    return plan["Shared Hit Blocks"] ?? 0;
  });
}
