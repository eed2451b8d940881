import { assertEquals } from "@std/assert";
import type { Database } from "../../shared/db/database.ts";
import { settleVideoJobs } from "../../shared/db/poll_calls.ts";
import { finishStoring } from "../../shared/db/store_calls.ts";
import { recordSubmissions, startSubmissions } from "../../shared/db/submit_calls.ts";
import { asUser } from "../support/as_user.ts";
import {
  accept,
  deliver,
  type Family,
  newestJob,
  newFamily,
  passTime,
  queueVideo,
  stateOf,
  value,
} from "../support/fixtures.ts";
import { withSql } from "../support/sql.ts";

const MODEL = "pixverse:1@5-fast";
const request = {
  ...{ kind: "prompt", prompt: "A fox", provider: "runware", model: MODEL },
  options: { duration: 5, resolution: "720p" },
};

/** Queues a video for two gems at Runware, with KIE to step in. */
async function queuePrompt(db: Database, { userId }: Family): Promise<string> {
  const fallbacks = [{ provider: "kie", model: "veo3_fast" }];
  const asked = JSON.stringify({ ...request, fallbacks });
  const statement = "select public.queue_video($1, $2, 'hash', 60) ->> 'video_id' as value";
  return String(await value(db, statement, [userId, asked]));
}

/** The provider's last word about an attempt is that it failed, and this is what it bills. */
function failBilled(db: Database, jobId: string, { kind = "safety", usd }: FailedBill) {
  return settleVideoJobs(db, [{
    ...{ video_job_id: jobId, state: "failed", code: "SAFETY.INPUT", kind },
    ...{ people_code: "content_refused", people_message: "No.", provider_error: null },
    retry_seconds: kind === "safety" ? null : 0,
    ...(usd === undefined ? {} : { cost_usd: usd }),
  }]);
}

interface FailedBill {
  readonly kind?: string;
  readonly usd?: number;
}

/** The operator's question about today, and some days around it. */
function margins(db: Database, { days = 0 } = {}) {
  return db.query(
    `select provider, model, videos::int, gems_charged::int as charged, gems_refunded::int as refunded,
       gems_earned::int as earned, usd_spent::float8 as usd, costs_unknown::int as unknown
     from jsonb_to_recordset(public.margins(
       (now() at time zone 'utc')::date - $1::int, (now() at time zone 'utc')::date + $1::int
     )) as m (
       provider text, model text, videos int, gems_charged int, gems_refunded int, gems_earned int,
       usd_spent numeric, costs_unknown int
     )`,
    [days],
  );
}

Deno.test("margins: what was made earned its price and cost what the provider says", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 100 });
    const made = await queuePrompt(db, family);
    const job = await accept(db, made);
    await deliver(db, job);
    await finishStoring(db, job, "a/b.mp4");
    const { video_id: rhyme } = await queueVideo(db, family);
    assertEquals(await margins(db), [
      {
        ...{ provider: "runware", model: "pixverse:1@5", videos: 1, charged: 10, refunded: 0 },
        ...{ earned: 10, usd: 0, unknown: 0 },
      },
      {
        ...{ provider: "runware", model: MODEL, videos: 1, charged: 2, refunded: 0 },
        ...{ earned: 2, usd: 0.3, unknown: 0 },
      },
    ]);
    const perVideo = await db.query(
      "select video_id, gems_earned::int as earned from app.margins order by earned",
    );
    assertEquals(perVideo, [{ video_id: made, earned: 2 }, { video_id: rhyme, earned: 10 }]);
    assertEquals(await margins(db, { days: -1 }), []);
  });
});

Deno.test("margins: a failed attempt that was billed is spent though the gems came back; without a figure it is counted", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 100 });
    await failBilled(db, await accept(db, await queuePrompt(db, family)), { usd: 0.25 });
    await failBilled(db, await accept(db, await queuePrompt(db, family)), {});
    await failBilled(db, await accept(db, await queuePrompt(db, family)), { usd: 1e9 });
    // Never handed over, so nothing can have been billed.
    const cancelled = await queuePrompt(db, family);
    await db.query("select public.cancel_video($1, $2)", [family.userId, cancelled]);
    assertEquals(await margins(db), [{
      ...{ provider: "runware", model: MODEL, videos: 4, charged: 8, refunded: 8 },
      ...{ earned: 0, usd: 0.25, unknown: 2 },
    }]);
  });
});

Deno.test("margins: what a provider may have taken without saying so is counted, the video deleted or not", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 2 });
    const video = await queuePrompt(db, family);
    const { id } = await newestJob(db, video);
    await startSubmissions(db, [id], "w");
    await recordSubmissions(db, [{
      ...{ video_job_id: id, outcome: "unknown", code: "http_500", kind: "server" },
      ...{ people_code: "provider_busy", people_message: "Busy.", provider_error: null },
      delay_seconds: 5,
    }], "w");
    await db.query("select public.cancel_video($1, $2)", [family.userId, video]);
    const expected = [{
      ...{ provider: "runware", model: MODEL, videos: 1, charged: 2, refunded: 0 },
      ...{ earned: 2, usd: 0, unknown: 1 },
    }];
    assertEquals(await margins(db), expected);
    await asUser(db, family.userId, "select public.delete_videos($1)", [[video]]);
    assertEquals(await margins(db), expected);
  });
});

Deno.test("margins: gems count for who made the video, dollars for each who was paid", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 100 });
    const video = await queuePrompt(db, family);
    await failBilled(db, await accept(db, video), { kind: "server", usd: 0.1 });
    await passTime(db, "1 minute");
    const { id } = await newestJob(db, video);
    await startSubmissions(db, [id], "w");
    await recordSubmissions(db, [{
      ...{ video_job_id: id, outcome: "accepted", provider_task_id: "task-of-kie" },
    }], "w");
    await deliver(db, id);
    await finishStoring(db, id, "a/b.mp4");
    const charged = { charged: 2, refunded: 0, earned: 2 };
    const nothing = { charged: 0, refunded: 0, earned: 0 };
    assertEquals(await margins(db, { days: 1 }), [
      { provider: "kie", model: "veo3_fast", videos: 1, ...charged, usd: 0.3, unknown: 0 },
      { provider: "runware", model: MODEL, videos: 1, ...nothing, usd: 0.1, unknown: 0 },
    ]);
  });
});

Deno.test("margins: neither deleting a video nor an account changes the books", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 100 });
    const video = await queuePrompt(db, family);
    const job = await accept(db, video);
    await deliver(db, job);
    await finishStoring(db, job, `${family.userId}/videos/${video}.mp4`);
    await failBilled(db, await accept(db, await queuePrompt(db, family)), { usd: 0.2 });
    const before = await margins(db);
    await asUser(db, family.userId, "select public.delete_videos($1)", [[video]]);
    assertEquals(await margins(db), before);
    await db.query("select public.forget_user($1)", [family.userId]);
    assertEquals(await margins(db), before);
  });
});

Deno.test("margins: of years, too, all is answered, however few rows PostgREST lets through", async () => {
  await withSql(async (db) => {
    await db.query(
      `insert into app.costs (video_job_id, video_id, provider, model, cost_usd, was_submitted, ended_at)
       select gen_random_uuid(), gen_random_uuid(), 'kie', 'model ' || m, 0.5, true, '2026-01-01 12:00Z'::timestamptz + d * interval '1 day'
       from generate_series(0, 299) d, generate_series(1, 4) m`,
    );
    const answers = await db.query(
      `select jsonb_array_length(m) as days, m -> 5 as sixth
       from (select public.margins('2026-01-01', '2026-12-31') as m) one`,
    );
    assertEquals(answers, [{
      days: 1_200,
      sixth: {
        ...{ day: "2026-01-02", provider: "kie", model: "model 2", videos: 1 },
        ...{ gems_charged: 0, gems_refunded: 0, gems_earned: 0, usd_spent: 0.5, costs_unknown: 0 },
      },
    }]);
    assertEquals(await db.query("select public.margins('2020-01-01', '2020-12-31') as days"), [
      { days: [] },
    ]);
  });
});

Deno.test("margins are the operator's: nobody else may ask", async () => {
  await withSql(async (db) => {
    const { userId } = await newFamily(db);
    const ask = asUser(db, userId, "select * from public.margins(current_date, current_date)");
    assertEquals(await stateOf(ask), "42501");
    const may =
      "select has_function_privilege($1, 'public.margins(date, date)', 'execute') as value";
    assertEquals(await value(db, may, ["service_role"]), true);
    assertEquals(await value(db, may, ["anon"]), false);
  });
});
