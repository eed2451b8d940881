import { assertEquals } from "@std/assert";
import type { Database } from "../../shared/db/database.ts";
import { reconcile } from "../../shared/db/maintain_calls.ts";
import { settleVideoJobs } from "../../shared/db/poll_calls.ts";
import { failStoring, finishStoring } from "../../shared/db/store_calls.ts";
import { startSubmissions } from "../../shared/db/submit_calls.ts";
import { hold, impatient } from "../support/held.ts";
import { withSql } from "../support/sql.ts";
import {
  accept,
  balanceOf,
  brokenInvariants,
  deliver,
  hangDoorbell,
  newestJob,
  newFamily,
  passTime,
  queueVideo,
  recordEvent,
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

Deno.test("F35 the clean-up forgets raw events, raw errors and cron's history after their time", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    const job = await accept(db, video_id);
    await recordEvent(db, job);
    await deliver(db, job);
    await db.query('update public.video_jobs set provider_error = \'{"message": "raw"}\'');
    await db.query("update public.provider_events set received_at = now() - interval '8 days'");
    await db.query(
      `insert into cron.job_run_details
         (jobid, job_pid, database, username, command, status, start_time, end_time)
       select 1, 1, 'd', 'u', 'select app.tick()', 'succeeded', at, at
       from generate_series(1, 100) i, lateral (select now() - (i - 0.5) * interval '1 hour' as at) a`,
    );
    await passTime(db, "8 days");
    await db.query("select app.clean_up()");
    const count = (of: string) => value(db, `select count(*)::int as value from ${of}`);
    assertEquals(await count("public.provider_events"), 0);
    assertEquals(await count("public.video_jobs where provider_error is not null"), 0);
    assertEquals(await value(db, "select result_url as value from public.video_jobs"), "");
    const old = "cron.job_run_details where end_time < now() - interval '2 days'";
    assertEquals([await count(old), await count("cron.job_run_details where jobid = 1")], [0, 48]);
  });
});

Deno.test("F35 the clean-up looks at no attempt twice, and at each once", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 20 });
    const old = async () => {
      const job = await accept(db, (await queueVideo(db, family)).video_id);
      await deliver(db, job);
      await passTime(db, "8 days");
      return job;
    };
    const linkOf = (job: string) =>
      value(db, "select result_url as value from public.video_jobs where id = $1", [job]);
    const first = await old();
    await db.query("select app.clean_up()");
    await db.query("update public.video_jobs set result_url = 'https://x.example/1.mp4'");
    const second = await old();
    await db.query("select app.clean_up()");
    assertEquals([await linkOf(first), await linkOf(second)], ["https://x.example/1.mp4", ""]);
  });
});

Deno.test("F35 the clean-up does so much at once, the oldest first, and waits for nobody", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 40 });
    const jobs: string[] = [];
    for (let at = 0; at < 4; at++) {
      const job = await accept(db, (await queueVideo(db, family)).video_id);
      await recordEvent(db, job, { hash: job });
      await deliver(db, job);
      await db.query(
        "update public.provider_events set received_at = now() - $2 * interval '1 day' where video_job_id = $1",
        [job, 20 - at],
      );
      await db.query(
        "update public.video_jobs set finished_at = now() - $2 * interval '1 day' where id = $1",
        [job, 20 - at],
      );
      jobs.push(job);
    }
    await db.query("update app.last_check set cleaned_until = now() - interval '30 days'");
    const left = async () => {
      const rows = await db.query(
        `select exists (select 1 from public.provider_events e where e.video_job_id = j.id) as event,
           j.result_url <> '' as link
         from public.video_jobs j order by j.finished_at`,
      );
      return rows.map(({ event, link }) => `${event ? "event" : "-"} ${link ? "link" : "-"}`);
    };
    const cleanUp = (most: number) => impatient(db).query("select app.clean_up($1)", [most]);
    const both = "event link";
    await cleanUp(1);
    assertEquals(await left(), ["- -", both, both, both]);
    {
      await using _ = await hold(db, async (sql) => {
        await sql.query("select from public.video_jobs where id = $1 for update", [jobs[1]]);
        await sql.query("select from public.provider_events where video_job_id = $1 for update", [
          jobs[1],
        ]);
      });
      await cleanUp(1);
      assertEquals(await left(), ["- -", both, "- -", both]);
      await cleanUp(10);
      assertEquals(await left(), ["- -", both, "- -", "- -"]);
    }
    await cleanUp(10);
    assertEquals(await left(), ["- -", "- -", "- -", "- -"]);
  });
});

Deno.test("F35 the clean-up waits for no ring, doubt or cancellation that somebody holds", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { id } = await newestJob(db, (await queueVideo(db, family)).video_id);
    await db.query(
      `insert into public.unknown_outcomes (video_job_id, video_id, provider, model, provider_error, happened_at)
       select id, video_id, provider, model, '{}', now() - interval '90 days' from public.video_jobs`,
    );
    await db.query(
      `insert into app.cancellations (video_job_id, provider, provider_task_id, created_at)
       values ($1, 'runware', 't', now() - interval '2 days')`,
      [id],
    );
    await db.query(
      "insert into app.drainers (stage, node, lease_until) values ('poll', 'w', now() - interval '1 hour')",
    );
    const left = () =>
      value(
        db,
        `select (select count(*) from public.unknown_outcomes where provider_error is not null)
           + (select count(*) from app.cancellations)
           + (select count(*) from app.drainers where node = 'w') as value`,
      );
    {
      await using _ = await hold(db, async (sql) => {
        for (const table of ["public.unknown_outcomes", "app.cancellations", "app.drainers"]) {
          await sql.query(`select from ${table} for update`);
        }
      });
      await impatient(db).query("select app.clean_up()");
      assertEquals(Number(await left()), 3);
    }
    await db.query("select app.clean_up()");
    assertEquals(Number(await left()), 0);
  });
});

Deno.test("the clean-up of each hour rings once a day", async () => {
  await withSql(async (db) => {
    await hangDoorbell(db);
    const schedule = "select schedule as value from cron.job where jobname = 'gemreel-clean-up'";
    assertEquals(await value(db, schedule), "17 * * * *");
    const rings: unknown[] = [];
    for (let hour = 0; hour < 26; hour++) {
      await db.query("select app.clean_up()");
      rings.push(
        await value(db, "select count(*)::int as value from net.http_request_queue"),
      );
      await db.query("delete from app.drainers");
      await db.query("update app.change_marks set noted_at = noted_at - interval '1 hour'");
    }
    assertEquals(rings, [...Array(24).fill(1), 2, 2]);
  });
});
