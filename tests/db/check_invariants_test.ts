import { assert, assertEquals } from "@std/assert";
import type { Database } from "../../shared/db/database.ts";
import { openQueue } from "../../shared/db/queue.ts";
import { finishStoring } from "../../shared/db/store_calls.ts";
import { startSubmissions } from "../../shared/db/submit_calls.ts";
import { createLog } from "../../shared/log.ts";
import { maintain } from "../../shared/stages/maintain.ts";
import {
  accept,
  brokenInvariants,
  deliver,
  newestJob,
  newFamily,
  passTime,
  queueVideo,
  recordEvent,
  value,
} from "../support/fixtures.ts";
import { quiet, withSql } from "../support/sql.ts";

/** One round of maintenance. Answers what it logged at level error. */
async function errorsOf(db: Database): Promise<string[]> {
  const lines: string[] = [];
  const queue = openQueue(db, quiet);
  await queue.ready();
  const log = createLog({}, (line) => lines.push(line));
  await maintain({ database: db, queue, node: "maintainer", log });
  await queue.close();
  return lines.filter((line) => line.includes(`"level":"error"`));
}

const violations = (db: Database) =>
  value(db, "select public.health_report() -> 'invariant_violations' as value");
const isDue = (db: Database) => value(db, "select app.work_due('maintain') as value");

/** Fails a video as no function of ours does: without the refund. */
async function failUnpaid(db: Database, videoId: string): Promise<void> {
  await db.transaction(async (sql) => {
    await sql.query(
      `update public.video_jobs set status = 'failed', finished_at = clock_timestamp(), next_poll_at = null
       where video_id = $1`,
      [videoId],
    );
    await sql.query(
      "update public.videos set status = 'failed', error_code = 'x', error_message = 'X.' where id = $1",
      [videoId],
    );
    await sql.query("delete from pgboss.job");
  });
}

Deno.test("a lie in the books about a video that took hours is found by the next maintain, with the ids", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    await passTime(db, "3 hours");
    assertEquals(await errorsOf(db), []);
    await failUnpaid(db, video_id);
    assertEquals(await isDue(db), true, "though nothing is under way any more");
    const [line = "", ...others] = await errorsOf(db);
    assert(line.includes(video_id) && line.includes(family.userId), line);
    assert(line.includes("failed without a full refund"), line);
    assertEquals([others, await violations(db)], [[], 1]);
  });
});

Deno.test("an attempt that lives on under a video that is over is found, however old the video is", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    await startSubmissions(db, [(await newestJob(db, video_id)).id], "w");
    await passTime(db, "3 hours");
    await db.query("update public.videos set status = 'cancelled' where id = $1", [video_id]);
    const lines = await errorsOf(db);
    assertEquals(lines.map((line) => line.includes(video_id)), [true]);
  });
});

Deno.test("a refund above the price is found, one up to the price is not", async () => {
  await withSql(async (db) => {
    const refund = async (gems: number) => {
      const family = await newFamily(db, { gems: 10 });
      const { video_id } = await queueVideo(db, family);
      await accept(db, video_id);
      await db.query("select public.cancel_video($1, $2)", [family.userId, video_id]);
      await db.query("select app.move_gems($1, $2, 'refund', $3, 'Test')", [
        family.userId,
        gems,
        video_id,
      ]);
      return video_id;
    };
    await refund(10);
    assertEquals(await brokenInvariants(db), []);
    const videoId = await refund(11);
    const found = (await brokenInvariants(db)).map((row) => [row["video_id"], row["detail"]]);
    assertEquals(found, [[videoId, "cancelled, refunded 11"]]);
  });
});

Deno.test("what only the look at everything finds is logged by the next maintain, once, and stays in health", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    await failUnpaid(db, video_id);
    await passTime(db, "3 days");
    await db.transaction(async (sql) => {
      await sql.query("set local session_replication_role = replica");
      await sql.query("update public.gem_entries set created_at = created_at - interval '3 days'");
      await sql.query(
        "update public.video_jobs set finished_at = finished_at - interval '3 days'",
      );
    });
    assertEquals(await errorsOf(db), []);
    assertEquals(await isDue(db), false);
    await db.query("select app.check_everything()");
    const lines = await errorsOf(db);
    assertEquals(lines.map((line) => line.includes(video_id)), [true]);
    assertEquals(await errorsOf(db), []);
    assertEquals(await violations(db), 1);
  });
});

Deno.test("when the last video is over maintain looks once more, and then rests", async () => {
  await withSql(async (db) => {
    assertEquals(await isDue(db), false, "nothing ever happened");
    const family = await newFamily(db, { gems: 10 });
    const job = await accept(db, (await queueVideo(db, family)).video_id);
    await errorsOf(db);
    await deliver(db, job);
    await finishStoring(db, job, "p.mp4");
    await db.query("delete from pgboss.job");
    await db.query(
      "update public.notification_deliveries set status = 'sent', finished_at = now()",
    );
    await forgetTheMinute(db);
    assertEquals(await isDue(db), true);
    assertEquals(await errorsOf(db), []);
    await forgetTheMinute(db);
    assertEquals(await isDue(db), false);
    assertEquals(await brokenInvariants(db), []);
  });
});

/** Lets a minute pass for the ledger alone. */
const forgetTheMinute = (db: Database) =>
  db.transaction(async (sql) => {
    await sql.query("set local session_replication_role = replica");
    await sql.query("update public.gem_entries set created_at = created_at - interval '2 minutes'");
  });

Deno.test("a webhook's ring moves nothing where the provider makes up the ids and has named none", async () => {
  await withSql(async (db) => {
    await db.query("update app.providers set chooses_task_id = false");
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    const { id } = await newestJob(db, video_id);
    await startSubmissions(db, [id], "dead");
    await recordEvent(db, id);
    await db.query("delete from pgboss.job");
    assertEquals((await brokenInvariants(db)).map((row) => row["video_id"]), [video_id]);
  });
});
