import { assert, assertEquals } from "@std/assert";
import { failStoring, startStoring } from "../../shared/db/store_calls.ts";
import { recordSubmissions, startSubmissions } from "../../shared/db/submit_calls.ts";
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
  passTime,
  queueVideo,
  stateOf,
  value,
  videoOf,
} from "../support/fixtures.ts";

const trouble = {
  code: "rateLimitExceeded",
  kind: "rate",
  people_code: "provider_busy",
  people_message: "Busy.",
  provider_error: { message: "slow down" },
};

Deno.test("a claimed attempt is not given to a second worker until its lease is over", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    const { id } = await newestJob(db, video_id);
    assertEquals((await startSubmissions(db, [id], "one")).map((row) => row.started), [true]);
    assertEquals((await startSubmissions(db, [id], "two")).map((row) => row.started), [false]);
    await passTime(db, "1 minute");
    assertEquals((await startSubmissions(db, [id], "two")).map((row) => row.started), [true]);
  });
});

Deno.test("a worker that slept past its lease records nothing", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    const { id } = await newestJob(db, video_id);
    await startSubmissions(db, [id], "sleeper");
    await passTime(db, "1 minute");
    await startSubmissions(db, [id], "awake");
    const accepted = { video_job_id: id, outcome: "accepted" as const, provider_task_id: id };
    assertEquals(await recordSubmissions(db, [accepted], "sleeper"), []);
    const refused = {
      video_job_id: id,
      outcome: "failed" as const,
      ...trouble,
      delay_seconds: null,
    };
    assertEquals(await recordSubmissions(db, [refused], "sleeper"), []);
    assertEquals(await recordSubmissions(db, [accepted], "awake"), [
      { video_job_id: id, result: "accepted" },
    ]);
  });
});

Deno.test("F30 an attempt that kills every worker ends visibly, with the gems back", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    const { id } = await newestJob(db, video_id);
    for (let i = 0; i < 6; i++) {
      await startSubmissions(db, [id], `worker ${i}`);
      await passTime(db, "1 minute");
    }
    assertEquals((await videoOf(db, video_id)).status, "failed");
    assertEquals(await balanceOf(db, family), 10);
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("an attempt the provider had no room for waits under the same id and costs no retry", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    const { id } = await newestJob(db, video_id);
    await startSubmissions(db, [id], "w");
    assertEquals(
      await recordSubmissions(db, [{
        video_job_id: id,
        outcome: "held",
        ...trouble,
        delay_seconds: 30,
      }], "w"),
      [{ video_job_id: id, result: "held" }],
    );
    const video = await videoOf(db, video_id);
    assertEquals([video.status, video.retry_count], ["queued", 0]);
    assertEquals(await value(db, "select app.submission_slots('runware', 10) as value"), 0);
    assertEquals(await brokenInvariants(db), []);
    await passTime(db, "31 seconds");
    assertEquals(await value(db, "select app.submission_slots('runware', 10) as value"), 10);
    assertEquals((await jobsOf(db, video_id)).length, 1);
    await accept(db, video_id);
    assertEquals((await videoOf(db, video_id)).stage, "analyzing");
  });
});

Deno.test("no word from the provider: the attempt stays claimed and is handed over again", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    const { id } = await newestJob(db, video_id);
    await startSubmissions(db, [id], "w");
    await recordSubmissions(db, [{
      video_job_id: id,
      outcome: "unknown",
      ...trouble,
      delay_seconds: 5,
    }], "w");
    const [job] = await jobsOf(db, video_id);
    assertEquals([job?.id, job?.status], [id, "claimed"]);
    assertEquals(await brokenInvariants(db), []);
    const again = await startSubmissions(db, [id], "other");
    assertEquals(again.map((row) => row.started), [true]);
  });
});

Deno.test("an attempt that may have been bought is not given up for a refusal that may pass", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    const { id } = await newestJob(db, video_id);
    const record = async (outcome: "unknown" | "held" | "failed", delay_seconds: number | null) => {
      const [started] = await startSubmissions(db, [id], "w");
      await recordSubmissions(db, [{ video_job_id: id, outcome, ...trouble, delay_seconds }], "w");
      return started?.repeated;
    };
    assertEquals(await record("unknown", 5), false);
    for (const outcome of ["held", "failed"] as const) {
      assertEquals(await record(outcome, 5), true);
      const [job, ...others] = await jobsOf(db, video_id);
      assertEquals([job?.status, others.length], ["claimed", 0], outcome);
    }
    // A refusal of the input itself ends it, with the gems back.
    await record("failed", null);
    assertEquals((await videoOf(db, video_id)).status, "failed");
    assertEquals(await balanceOf(db, family), 10);
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("the provider rests when it took nothing, not when it choked on one", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 20 });
    const ids = [];
    for (let i = 0; i < 2; i++) {
      const { video_id } = await queueVideo(db, family);
      ids.push((await newestJob(db, video_id)).id);
    }
    const [one = "", two = ""] = ids;
    await startSubmissions(db, [one, two], "w");
    const lost = { video_job_id: one, outcome: "unknown" as const, ...trouble, delay_seconds: 5 };
    await recordSubmissions(db, [
      lost,
      { video_job_id: two, outcome: "accepted", provider_task_id: two },
    ], "w");
    assertEquals(await value(db, "select app.free_slots('runware') > 0 as value"), true);
    await startSubmissions(db, [one], "w");
    await recordSubmissions(db, [lost], "w");
    assertEquals(await value(db, "select app.free_slots('runware') as value"), 0);
  });
});

Deno.test("no more attempts are handed over than the provider has room for", async () => {
  await withSql(async (db) => {
    await db.query("update app.providers set max_in_flight = 3");
    const family = await newFamily(db, { gems: 100 });
    for (let i = 0; i < 5; i++) {
      const { video_id } = await queueVideo(db, family);
      const free = await value(db, "select app.submission_slots('runware', 10) as value");
      assertEquals(free, Math.max(0, 3 - i));
      if (i < 3) await accept(db, video_id);
    }
  });
});

Deno.test("claims whose worker died take no slot, so they can be claimed again", async () => {
  await withSql(async (db) => {
    await db.query("update app.providers set max_in_flight = 2");
    const family = await newFamily(db, { gems: 100 });
    for (let i = 0; i < 2; i++) {
      const { video_id } = await queueVideo(db, family);
      await startSubmissions(db, [(await newestJob(db, video_id)).id], "dead");
    }
    assertEquals(await value(db, "select app.free_slots('runware') as value"), 0);
    await passTime(db, "1 minute");
    assertEquals(await value(db, "select app.free_slots('runware') as value"), 2);
  });
});

Deno.test("however long a provider asks us to wait, it is asked again within an hour", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    const { id } = await newestJob(db, video_id);
    await startSubmissions(db, [id], "w");
    await recordSubmissions(db, [{
      video_job_id: id,
      outcome: "held",
      ...trouble,
      delay_seconds: 999_999,
    }], "w");
    await passTime(db, "1 hour");
    assertEquals(await value(db, "select app.free_slots('runware') > 0 as value"), true);
    assertEquals(await value(db, "select app.work_due('submit') as value"), true);
  });
});

Deno.test("cancelled while the submit call is under way: the answer changes nothing", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    const { id } = await newestJob(db, video_id);
    await startSubmissions(db, [id], "w");
    await db.query("select public.cancel_video($1, $2)", [family.userId, video_id]);
    assertEquals(
      await recordSubmissions(db, [{
        video_job_id: id,
        outcome: "accepted",
        provider_task_id: id,
      }], "w"),
      [],
    );
    assertEquals((await videoOf(db, video_id)).status, "cancelled");
    // The provider will bill us: by default nothing comes back.
    assertEquals(await balanceOf(db, family), 0);
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("cancel while queued refunds in full, and repeated it answers the same", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    const cancel = () =>
      value(db, "select public.cancel_video($1, $2) as value", [family.userId, video_id]);
    const answers = await Promise.all(Array.from({ length: 10 }, cancel));
    for (const answer of answers) {
      assertEquals(answer, { video_id, status: "cancelled", gems_refunded: 10, gem_balance: 10 });
    }
    assertEquals((await entriesOf(db, video_id)).length, 2);
    assertEquals(await brokenInvariants(db), []);
    const { id } = await newestJob(db, video_id);
    assertEquals(await startSubmissions(db, [id], "w"), []);
  });
});

Deno.test("cancel after submitting returns the share that the operator set", async () => {
  await withSql(async (db) => {
    await db.query("update app.settings set cancel_refund_percent = 50");
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    await accept(db, video_id);
    await db.query("select public.cancel_video($1, $2)", [family.userId, video_id]);
    assertEquals(await balanceOf(db, family), 5);
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("cancel of a finished or rendering video is refused and changes nothing", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 20 });
    const cancel = (id: string) =>
      stateOf(db.query("select public.cancel_video($1, $2)", [family.userId, id]));
    const rendering = (await queueVideo(db, family)).video_id;
    await deliver(db, await accept(db, rendering));
    assertEquals(await cancel(rendering), "GM006");
    const failed = (await queueVideo(db, family)).video_id;
    await failAttempt(db, await accept(db, failed), { final: true });
    assertEquals(await cancel(failed), "GM006");
    assertEquals(await balanceOf(db, family), 10);
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("F20 cancelling someone else's video: not found", async () => {
  await withSql(async (db) => {
    const owner = await newFamily(db, { gems: 10 });
    const stranger = await newFamily(db);
    const { video_id } = await queueVideo(db, owner);
    assertEquals(
      await stateOf(db.query("select public.cancel_video($1, $2)", [stranger.userId, video_id])),
      "GM005",
    );
    assertEquals((await videoOf(db, video_id)).status, "queued");
  });
});

Deno.test("a file that cannot be stored fails the video and refunds it, once", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    const job = await accept(db, video_id);
    await deliver(db, job);
    const [file] = await startStoring(db, [job]);
    assert(file?.storage_path === `${family.userId}/videos/${video_id}.mp4`);
    await Promise.all(Array.from({ length: 5 }, () => failStoring(db, job, "gone", null)));
    assertEquals((await videoOf(db, video_id)).error_code, "storing_failed");
    assertEquals(await balanceOf(db, family), 10);
    assertEquals(await startStoring(db, [job]), []);
    assertEquals(await brokenInvariants(db), []);
  });
});
