import { assertEquals } from "@std/assert";
import { recordedEvents, settleVideoJobs } from "../../shared/db/poll_calls.ts";
import { finishStoring } from "../../shared/db/store_calls.ts";
import { withSql } from "../support/sql.ts";
import {
  accept,
  balanceOf,
  brokenInvariants,
  deliver,
  entriesOf,
  failAttempt,
  jobsOf,
  newestJob,
  newFamily,
  queueVideo,
  recordEvent,
  stateOf,
  value,
  videoOf,
} from "../support/fixtures.ts";

Deno.test("a delivered attempt is rendering, then stored and completed, with one notice", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    const job = await accept(db, video_id);
    assertEquals(await deliver(db, job), [{ video_job_id: job, result: "rendering" }]);
    assertEquals((await videoOf(db, video_id)).status, "rendering");
    assertEquals(await brokenInvariants(db), []);
    assertEquals(await finishStoring(db, job, "u/videos/v.mp4"), true);
    const video = await videoOf(db, video_id);
    assertEquals([video.status, video.stage, video.progress, video.storage_path], [
      "completed",
      "completed",
      100,
      "u/videos/v.mp4",
    ]);
    assertEquals(await db.query("select kind, data from public.notifications"), [
      { kind: "video_ready", data: { video_id, action: "view_video" } },
    ]);
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("F24 ten finishers at once: one completion, one entry of each stage, one notice", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    const job = await accept(db, video_id);
    const settled = await Promise.all(Array.from({ length: 10 }, () => deliver(db, job)));
    assertEquals(settled.flat().length, 1);
    const finished = await Promise.all(
      Array.from({ length: 10 }, () => finishStoring(db, job, "p.mp4")),
    );
    assertEquals(finished.filter(Boolean).length, 1);
    assertEquals(await value(db, "select count(*)::int as value from public.notifications"), 1);
    assertEquals(
      (await db.query("select stage from public.video_progress order by id")).map((row) =>
        row["stage"]
      ),
      ["initializing", "analyzing", "rendering", "completed"],
    );
  });
});

Deno.test("F33 whatever comes after the end changes nothing, in any order", async () => {
  await withSql(async (db) => {
    const orders = [["ok", "fail", "run"], ["ok", "run", "fail"], ["fail", "ok", "run"], [
      "fail",
      "run",
      "ok",
    ]];
    for (const order of orders) {
      const family = await newFamily(db, { gems: 10 });
      const { video_id } = await queueVideo(db, family);
      const job = await accept(db, video_id);
      for (const event of order) {
        if (event === "ok") await deliver(db, job);
        if (event === "fail") await failAttempt(db, job, { final: true });
        if (event === "run") {
          await settleVideoJobs(db, [{
            video_job_id: job,
            state: "processing",
            progress: 40,
            eta_seconds: 5,
          }]);
        }
      }
      const expected = order[0] === "ok" ? "rendering" : "failed";
      assertEquals((await videoOf(db, video_id)).status, expected, order.join(", "));
      assertEquals(await balanceOf(db, family), order[0] === "ok" ? 0 : 10);
    }
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("F33 what comes late about an attempt changes nothing while the next one is under way", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    const first = await accept(db, video_id);
    await failAttempt(db, first);
    await accept(db, video_id);
    const before = [await videoOf(db, video_id), await jobsOf(db, video_id)];
    assertEquals(await deliver(db, first), []);
    assertEquals(await failAttempt(db, first, { final: true }), []);
    assertEquals([await videoOf(db, video_id), await jobsOf(db, video_id)], before);
  });
});

Deno.test("F33 whoever tries: a final state stays, and a video has one live attempt", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 20 });
    const failed = await queueVideo(db, family);
    await failAttempt(db, await accept(db, failed.video_id), { final: true });
    const revive = "update public.videos set status = 'queued' where id = $1";
    assertEquals(await stateOf(db.query(revive, [failed.video_id])), "GM006");
    const { video_id } = await queueVideo(db, family);
    const second = `insert into public.video_jobs (video_id, attempt, provider, model)
      select j.video_id, 2, j.provider, j.model from public.video_jobs j where j.video_id = $1`;
    assertEquals(await stateOf(db.query(second, [video_id])), "23505");
  });
});

Deno.test("two failures, then success: three attempts with three ids, one charge", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    for (let i = 0; i < 2; i++) await failAttempt(db, await accept(db, video_id));
    await deliver(db, await accept(db, video_id));
    const jobs = await jobsOf(db, video_id);
    assertEquals(jobs.map((job) => job.status), ["failed", "failed", "completed"]);
    assertEquals(new Set(jobs.map((job) => job.id)).size, 3);
    assertEquals(await entriesOf(db, video_id), [{ kind: "charge", amount: -10 }]);
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("three failures: failed, refunded once, a sentence for people and the rest for operators", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    for (let i = 0; i < 3; i++) await failAttempt(db, await accept(db, video_id));
    const video = await videoOf(db, video_id);
    assertEquals(video.status, "failed");
    assertEquals(
      video.error_message,
      "Something went wrong while making this video. Please try again.",
    );
    assertEquals(await entriesOf(db, video_id), [
      { kind: "charge", amount: -10 },
      { kind: "refund", amount: 10 },
    ]);
    assertEquals(await balanceOf(db, family), 10);
    assertEquals(await db.query("select kind from public.notifications"), [{
      kind: "video_failed",
    }]);
    const raw = await value(
      db,
      "select provider_error as value from public.video_jobs where attempt = 3",
    );
    assertEquals(raw, { message: "GPU on fire" });
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("F05 ten workers that fail the same video at once refund it once", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    const job = await accept(db, video_id);
    await Promise.all(Array.from({ length: 10 }, () => failAttempt(db, job, { final: true })));
    assertEquals((await entriesOf(db, video_id)).length, 2);
    assertEquals(await balanceOf(db, family), 10);
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("many refunds of many users in batches that cross each other do not deadlock", async () => {
  await withSql(async (db) => {
    const jobs: string[] = [];
    for (let i = 0; i < 8; i++) {
      const family = await newFamily(db, { gems: 20 });
      for (let j = 0; j < 2; j++) {
        jobs.push(await accept(db, (await queueVideo(db, family)).video_id));
      }
    }
    const failure = (video_job_id: string) => ({
      video_job_id,
      state: "failed" as const,
      code: "x",
      kind: "safety",
      people_code: "content_refused",
      people_message: "Please try another one.",
      provider_error: null,
      retry_seconds: null,
    });
    await Promise.all([
      settleVideoJobs(db, jobs.map(failure)),
      settleVideoJobs(db, jobs.toReversed().map(failure)),
      settleVideoJobs(db, jobs.toSorted().map(failure)),
    ]);
    assertEquals(
      await value(
        db,
        "select count(*)::int as value from public.gem_entries where kind = 'refund'",
      ),
      16,
    );
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("F37 progress is written when it moved by five, and never goes back", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    const job = await accept(db, video_id);
    for (const progress of [15, 16, 19, 21, 18, 20, 30, 12, 85, 85]) {
      await settleVideoJobs(db, [{
        video_job_id: job,
        state: "processing",
        progress,
        eta_seconds: 9,
      }]);
    }
    assertEquals(
      (await db.query(
        "select percentage from public.video_progress where stage = 'generating' order by id",
      )).map((row) => row["percentage"]),
      [15, 21, 30, 85],
    );
    assertEquals((await videoOf(db, video_id)).progress, 85);
  });
});

Deno.test("a webhook that rings while the poller asks is not forgotten", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    const job = await accept(db, video_id);
    await db.query("update public.video_jobs set next_poll_at = now()");
    await db.query("select * from app.due_polls('runware', 10)");
    await recordEvent(db, job);
    await settleVideoJobs(db, [{ video_job_id: job, state: "unanswered" }]);
    const due = await db.query("select video_job_id from app.due_polls('runware', 10)");
    assertEquals(due, [{ video_job_id: job }]);
  });
});

Deno.test("a second poller is not given what the first has leased", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 100 });
    for (let i = 0; i < 10; i++) await accept(db, (await queueVideo(db, family)).video_id);
    await db.query("update public.video_jobs set next_poll_at = now()");
    const leased = await Promise.all(
      Array.from(
        { length: 5 },
        () => db.query("select video_job_id from app.due_polls('runware', 4)"),
      ),
    );
    const ids = leased.flat().map((row) => row["video_job_id"]);
    assertEquals(ids.length, new Set(ids).size);
    assertEquals(ids.length, 10);
  });
});

Deno.test("an attempt's recorded events are found, however many newer ones another attempt has", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 20 });
    const [one, two] = [
      await accept(db, (await queueVideo(db, family)).video_id),
      await accept(db, (await queueVideo(db, family)).video_id),
    ];
    await db.query(
      `insert into public.provider_events (provider, video_job_id, hash, payload)
       select 'runware', case when n = 0 then $1::uuid else $2::uuid end, n::text, '{}' from generate_series(0, 600) as s (n)`,
      [one, two],
    );
    const events = await recordedEvents(db, [one, two]);
    assertEquals(events.some((event) => event.video_job_id === one), true);
  });
});

Deno.test("the entry of completion is of the attempt that was delivered, which a move to another provider counted on", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    await db.query(
      `update public.videos set fallbacks = '[{"provider": "kie", "model": "veo3_fast"}]'`,
    );
    const { id } = await newestJob(db, video_id);
    assertEquals(
      await value(db, "select app.move_on($1, 'rate', 'rate', null) as value", [id]),
      true,
    );
    const job = await accept(db, video_id);
    await deliver(db, job);
    await finishStoring(db, job, "p.mp4");
    assertEquals(
      await db.query("select attempt from public.video_progress where stage = 'completed'"),
      [{ attempt: 2 }],
    );
  });
});
