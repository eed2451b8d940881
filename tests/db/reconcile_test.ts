import { assertEquals } from "@std/assert";
import type { Database } from "../../shared/db/database.ts";
import { reconcile } from "../../shared/db/maintain_calls.ts";
import { settleVideoJobs } from "../../shared/db/poll_calls.ts";
import { failStoring, finishStoring } from "../../shared/db/store_calls.ts";
import { startSubmissions } from "../../shared/db/submit_calls.ts";
import { messageForPeople } from "../../shared/domain/failure_messages.ts";
import { withSql } from "../support/sql.ts";
import {
  accept,
  balanceOf,
  brokenInvariants,
  deliver,
  newestJob,
  newFamily,
  passTime,
  queueVideo,
  value,
  videoOf,
} from "../support/fixtures.ts";

/** The provider still works on it. */
const stillAtIt = (video_job_id: string) => ({
  video_job_id,
  state: "processing" as const,
  progress: 60,
  eta_seconds: 9,
});

Deno.test("with nothing wrong it changes nothing", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 20 });
    await queueVideo(db, family);
    await accept(db, (await queueVideo(db, family)).video_id);
    assertEquals(await reconcile(db), {
      never_started: 0,
      timed_out: 0,
      requeued: 0,
      store_requeued: 0,
      store_given_up: 0,
      notify_requeued: 0,
      failed: 0,
    });
  });
});

Deno.test("a waiting attempt whose queue job is lost is queued again", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    await queueVideo(db, family);
    await db.query("delete from pgboss.job");
    assertEquals((await brokenInvariants(db)).length, 1);
    assertEquals((await reconcile(db))["requeued"], 1);
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("an attempt that the queue gave up is stranded once maintenance has not put it back for minutes", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    await queueVideo(db, family);
    const giveUp = (ago: string) =>
      db.query(
        "update pgboss.job set state = 'failed', completed_on = clock_timestamp() - $1::interval",
        [ago],
      );
    await giveUp("14 minutes");
    assertEquals(await brokenInvariants(db), []);
    await giveUp("16 minutes");
    assertEquals((await brokenInvariants(db)).length, 1);
    assertEquals((await reconcile(db))["requeued"], 1);
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("a claimed attempt whose worker and queue job are gone is queued again under its id", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    const { id } = await newestJob(db, video_id);
    await startSubmissions(db, [id], "dead");
    await db.query("update pgboss.job set state = 'failed', completed_on = now()");
    assertEquals((await reconcile(db))["requeued"], 0, "its lease still runs");
    await passTime(db, "1 minute");
    assertEquals((await reconcile(db))["requeued"], 1);
    assertEquals(await db.query("select id, state::text from pgboss.job"), [{
      id,
      state: "created",
    }]);
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("F06 a provider that never ends a task: the deadline does, attempt by attempt, then refunds", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    for (const end of ["retried", "retried", "failed"]) {
      const job = await accept(db, video_id);
      await passTime(db, "31 minutes");
      assertEquals(await settleVideoJobs(db, [stillAtIt(job)]), [
        { video_job_id: job, result: end },
      ]);
    }
    const video = await videoOf(db, video_id);
    assertEquals([video.status, video.error_code], ["failed", "timed_out"]);
    assertEquals(video.error_message, messageForPeople("timeout"));
    assertEquals(await balanceOf(db, family), 10);
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("F06 a provider that says nothing has an hour more than one that says it is still at it", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    const job = await accept(db, video_id);
    const silence = { video_job_id: job, state: "unanswered" as const };
    await passTime(db, "31 minutes");
    assertEquals(await settleVideoJobs(db, [silence]), []);
    await passTime(db, "60 minutes");
    assertEquals(await settleVideoJobs(db, [silence]), [{ video_job_id: job, result: "retried" }]);
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("after an outage of our own a finished render is fetched, not given up and bought again", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    const job = await accept(db, video_id);
    await passTime(db, "3 hours");
    await db.query("select * from app.due_polls('runware', 10)");
    // Maintain runs while the poller waits for the provider's answer.
    assertEquals((await reconcile(db))["timed_out"], 0);
    await deliver(db, job);
    assertEquals((await videoOf(db, video_id)).status, "rendering");
  });
});

Deno.test("an attempt that nobody has asked about for six hours after its deadline ends", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    await accept(db, video_id);
    await passTime(db, "391 minutes");
    assertEquals((await reconcile(db))["timed_out"], 1);
    assertEquals((await videoOf(db, video_id)).status, "queued");
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("a store that gives up while reconcile does the same: one of them waits, nobody deadlocks", async () => {
  await withSql(async (db) => {
    const jobs: string[] = [];
    for (let i = 0; i < 6; i++) {
      const family = await newFamily(db, { gems: 10 });
      const job = await accept(db, (await queueVideo(db, family)).video_id);
      await deliver(db, job);
      jobs.push(job);
    }
    await passTime(db, "91 minutes");
    await Promise.all([...jobs.map((job) => failStoring(db, job, "gone", null)), reconcile(db)]);
    assertEquals(
      await value(
        db,
        "select count(*)::int as value from public.gem_entries where kind = 'refund'",
      ),
      6,
    );
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("the queued deadline spares an attempt that is being handed over", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    await passTime(db, "241 minutes");
    await startSubmissions(db, [(await newestJob(db, video_id)).id], "busy");
    // The first look would have the provider asked about it, the second would end it.
    assertEquals((await reconcile(db))["never_started"], 0);
    assertEquals((await newestJob(db, video_id)).next_poll_at, null);
    assertEquals((await reconcile(db))["never_started"], 0);
  });
});

Deno.test("F09 a video that nobody takes for hours fails and is refunded", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    await passTime(db, "241 minutes");
    assertEquals((await reconcile(db))["never_started"], 1);
    const video = await videoOf(db, video_id);
    assertEquals([video.status, video.error_code], ["failed", "not_started"]);
    assertEquals(await balanceOf(db, family), 10);
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("one that cannot be rescued keeps no other from it", async () => {
  await withSql(async (db) => {
    const [rich, other] = [await newFamily(db, { gems: 10 }), await newFamily(db, { gems: 10 })];
    const stuck = (await queueVideo(db, rich)).video_id;
    const lost = (await queueVideo(db, other)).video_id;
    // Broken books: so many gems that ten more are no number.
    await db.query("update public.users set gem_balance = 2147483647 where id = $1", [
      rich.userId,
    ]);
    await passTime(db, "5 hours");
    const { never_started, failed } = await reconcile(db);
    assertEquals([never_started, failed], [1, 1]);
    assertEquals((await videoOf(db, lost)).status, "failed");
    assertEquals(await balanceOf(db, other), 10);
    assertEquals((await videoOf(db, stuck)).status, "queued", "with nothing of its rescue done");
  });
});

Deno.test("a delivered file whose queue job is lost is stored after all", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    const job = await accept(db, video_id);
    await deliver(db, job);
    await db.query("delete from pgboss.job where name = 'store-video'");
    assertEquals((await reconcile(db))["store_requeued"], 1);
    assertEquals(await brokenInvariants(db), []);
    await finishStoring(db, job, "p.mp4");
    assertEquals((await videoOf(db, video_id)).status, "completed");
  });
});

/** The only video of these: delivered, not stored. */
async function delivered(db: Database) {
  const family = await newFamily(db, { gems: 10 });
  const { video_id } = await queueVideo(db, family);
  const job = await accept(db, video_id);
  await deliver(db, job);
  return { family, video_id, job };
}

/** What the queue says of storing it. */
const storeJobIs = (db: Database, state: string) =>
  db.query("update pgboss.job set state = $1::pgboss.job_state where name = 'store-video'", [
    state,
  ]);

Deno.test("a file that was tried and is not stored in time: the video fails and is refunded", async () => {
  await withSql(async (db) => {
    const { family, video_id } = await delivered(db);
    await storeJobIs(db, "retry");
    await passTime(db, "361 minutes");
    assertEquals((await reconcile(db))["store_given_up"], 1);
    assertEquals((await videoOf(db, video_id)).status, "failed");
    assertEquals(await balanceOf(db, family), 10);
    assertEquals(await brokenInvariants(db), []);
  });
});

for (const state of ["created", "active"]) {
  Deno.test(`after an outage of our own a file whose copy is ${state} is not given up, for an hour`, async () => {
    await withSql(async (db) => {
      const { family, video_id, job } = await delivered(db);
      await storeJobIs(db, state);
      await passTime(db, "419 minutes");
      assertEquals((await reconcile(db))["store_given_up"], 0);
      await passTime(db, "2 minutes");
      assertEquals((await reconcile(db))["store_given_up"], 1);
      assertEquals((await videoOf(db, video_id)).status, "failed");
      assertEquals(await balanceOf(db, family), 10);
      // Whoever was copying comes too late.
      assertEquals(await finishStoring(db, job, "p.mp4"), false);
      assertEquals(await brokenInvariants(db), []);
    });
  });
}

Deno.test("what is copied for a video that failed meanwhile is deleted, what is copied twice is not", async () => {
  await withSql(async (db) => {
    const { family, video_id, job } = await delivered(db);
    assertEquals(await finishStoring(db, job, "p.mp4"), true);
    assertEquals(await finishStoring(db, job, "p.mp4"), false);
    const listed = () =>
      db.query("select prefix, written_until > now() as open from app.objects_to_delete");
    assertEquals(await listed(), [], "the second copy met the first");

    await db.query("select public.grant_gems($1, 10, 'grant', 'Test', 'more')", [family.userId]);
    const late = await queueVideo(db, family);
    const lateJob = await accept(db, late.video_id);
    await deliver(db, lateJob);
    await db.query("select app.fail_video($1, 'gone', 'Gone.')", [late.video_id]);
    assertEquals(await finishStoring(db, lateJob, "p.mp4"), false);
    assertEquals(await listed(), [{
      prefix: `${family.userId}/videos/${late.video_id}.`,
      open: true,
    }]);
    assertEquals((await videoOf(db, video_id)).status, "completed");
  });
});

Deno.test("F05 ten reconcilers at once refund each video once", async () => {
  await withSql(async (db) => {
    const families = await Promise.all(
      Array.from({ length: 5 }, () => newFamily(db, { gems: 20 })),
    );
    for (const family of families) {
      await queueVideo(db, family);
      await queueVideo(db, family);
    }
    await passTime(db, "5 hours");
    const counts = await Promise.all(Array.from({ length: 10 }, () => reconcile(db)));
    assertEquals(counts.reduce((sum, count) => sum + (count["never_started"] ?? 0), 0), 10);
    for (const family of families) assertEquals(await balanceOf(db, family), 20);
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("medians are measured from completed attempts", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 100 });
    for (const seconds of [10, 40, 90]) {
      const job = await accept(db, (await queueVideo(db, family)).video_id);
      await deliver(db, job);
      await db.query(
        "update public.video_jobs set submitted_at = finished_at - $2 * interval '1 second' where id = $1",
        [job, seconds],
      );
    }
    await db.query("select app.measure_models()");
    assertEquals(await db.query("select median_seconds, samples from app.model_stats"), [
      { median_seconds: 40, samples: 3 },
    ]);
  });
});
