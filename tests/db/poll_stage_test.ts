import { assert, assertEquals, assertGreater } from "@std/assert";
import { z } from "zod";
import type { Database } from "../../shared/db/database.ts";
import { openQueue } from "../../shared/db/queue.ts";
import { startSubmissions } from "../../shared/db/submit_calls.ts";
import type { Log } from "../../shared/log.ts";
import type { ErrorKind, TaskState, VideoProvider } from "../../shared/providers/provider.ts";
import { pollProvider } from "../../shared/stages/poll.ts";
import {
  accept,
  newestJob,
  newFamily,
  passTime,
  queueVideo,
  recordEvent,
  TWINKLE,
  value,
  videoOf,
} from "../support/fixtures.ts";
import { quiet, withSql } from "../support/sql.ts";

/** Seconds that the model of the tests' videos is known to take. */
const MEDIAN = 60;

/** A provider that is still busy with everything, and notes what it is asked about. */
function busy(calls: string[][], { callsBack = true } = {}): VideoProvider {
  return {
    name: "runware",
    choosesTaskId: true,
    callsBack,
    submitBatch: 50,
    pollBatch: 2,
    mediaHosts: [],
    submit: () => Promise.resolve([]),
    poll(ids) {
      calls.push([...ids]);
      return Promise.resolve(ids.map((id): TaskState => ({ id, state: "processing" })));
    },
    parseEvent: () => [],
    balanceUsd: () => Promise.resolve(0),
  };
}

/** Polls whatever is due. Answers the calls that the provider heard. */
async function poll(
  db: Database,
  webhooks: "on" | "off",
  provider: { callsBack?: boolean } = {},
): Promise<string[][]> {
  const calls: string[][] = [];
  const tools = { database: db, queue: openQueue(db, quiet), node: "test", log: quiet };
  await pollProvider(tools, busy(calls, provider), { webhooks });
  return calls;
}

/** The provider rang for some other attempt, so long ago. */
async function ring(db: Database, ago: string): Promise<void> {
  await db.query(
    `insert into public.provider_events (provider, video_job_id, hash, payload, received_at)
     values ('runware', gen_random_uuid(), gen_random_uuid(), '{}', now() - $1::interval)`,
    [ago],
  );
}

async function videoIdOf(db: Database, jobId: string): Promise<string> {
  return String(
    await value(db, "select video_id as value from public.video_jobs where id = $1", [jobId]),
  );
}

/** A video that the provider accepted just now, of a model that is known to take a minute. */
async function underWay(db: Database): Promise<{ videoId: string; jobId: string }> {
  const { video_id: videoId } = await queueVideo(db, await newFamily(db, { gems: 10 }));
  const jobId = await accept(db, videoId);
  await db.query(
    `insert into app.model_stats (provider, model, median_seconds, samples)
     select r.provider, r.model, $2, 10 from public.rhymes r where r.id = $1 on conflict do nothing`,
    [TWINKLE, MEDIAN],
  );
  return { videoId, jobId };
}

Deno.test("a provider that rings is not asked before a render can be over; its progress is estimated", () =>
  withSql(async (db) => {
    const { videoId, jobId } = await underWay(db);
    await ring(db, "5 minutes");
    await passTime(db, "30 seconds");
    assertEquals(await poll(db, "on"), []);
    const { stage, progress } = await videoOf(db, videoId);
    assertEquals(stage, "generating");
    assertGreater(progress, 15);
    const next = (await newestJob(db, videoId)).next_poll_at;
    assert(next !== null && next.getTime() > Date.now() + 2_000);

    await passTime(db, "50 seconds");
    assertEquals(await poll(db, "on"), [[jobId]], "a webhook may be lost");
  }));

Deno.test("a provider that never rings is asked at every step, webhooks or not", () =>
  withSql(async (db) => {
    const { jobId } = await underWay(db);
    await ring(db, "5 minutes");
    await passTime(db, "10 seconds");
    assertEquals(await poll(db, "on", { callsBack: false }), [[jobId]]);
  }));

Deno.test("a provider that was not heard ringing for an hour is asked at every step: its rings may not reach us", () =>
  withSql(async (db) => {
    const { jobId } = await underWay(db);
    await passTime(db, "10 seconds");
    assertEquals(await poll(db, "on"), [[jobId]]);
    await ring(db, "2 hours");
    await passTime(db, "2 minutes");
    assertEquals(await poll(db, "on"), [[jobId]]);
  }));

Deno.test("whoever has rung is asked at once, however early", () =>
  withSql(async (db) => {
    const { jobId } = await underWay(db);
    await recordEvent(db, jobId);
    assertEquals(await poll(db, "on"), [[jobId]]);
  }));

for (const ids of ["ours", "theirs"] as const) {
  Deno.test(`${ids}: who has rung before the answer is asked about only under an id that the provider knows`, () =>
    withSql(async (db) => {
      await db.query("update app.providers set chooses_task_id = $1", [ids === "ours"]);
      const { video_id } = await queueVideo(db, await newFamily(db, { gems: 10 }));
      const { id } = await newestJob(db, video_id);
      await startSubmissions(db, [id], "w");
      await recordEvent(db, id);
      assertEquals(await value(db, "select app.work_due('poll') as value"), ids === "ours");
      assertEquals(await poll(db, "on"), ids === "ours" ? [[id]] : []);
    }));
}

Deno.test("without webhooks, or without a measured time, everyone is asked at every step", () =>
  withSql(async (db) => {
    const { jobId } = await underWay(db);
    await ring(db, "5 minutes");
    await passTime(db, "10 seconds");
    assertEquals(await poll(db, "off"), [[jobId]]);
    await db.query("delete from app.model_stats");
    await passTime(db, "10 seconds");
    assertEquals(await poll(db, "on"), [[jobId]]);
  }));

Deno.test("an attempt past its deadline is asked about, quiet or not", () =>
  withSql(async (db) => {
    const { jobId } = await underWay(db);
    await ring(db, "5 minutes");
    await db.query("update app.model_stats set median_seconds = 100000");
    await passTime(db, "31 minutes");
    assertEquals(await poll(db, "on"), [[jobId]]);
  }));

Deno.test("asked in vain: the log says why, and where it is our key or account the provider rests and health says so", () =>
  withSql(async (db) => {
    const health = async () => {
      const providers = await value(db, "select public.health_report() -> 'providers' as value");
      const { breaker, pause_reason } = z.object({
        runware: z.object({ breaker: z.string(), pause_reason: z.string().nullable() }),
      }).parse(providers).runware;
      return [breaker, pause_reason];
    };
    const { jobId } = await underWay(db);
    await underWay(db);
    const lines: unknown[] = [];
    const log: Log = { ...quiet, warn: (message, fields) => lines.push([message, fields]) };
    const tools = { database: db, queue: openQueue(db, quiet), node: "test", log };
    const ask = async (about: (id: string) => ErrorKind | undefined) => {
      await passTime(db, "2 minutes");
      await pollProvider(tools, {
        ...busy([]),
        poll: (ids) =>
          Promise.resolve(ids.map((id): TaskState => {
            const kind = about(id);
            if (kind === undefined) return { id, state: "processing" };
            const error = { kind, code: `our ${kind}`, message: "No", raw: null };
            return { id, state: "unanswered", error };
          })),
      });
      return await health();
    };
    assertEquals(await ask(() => "server"), ["closed", null]);
    assertEquals(await ask((id) => id === jobId ? "auth" : undefined), ["closed", null]);
    assertEquals(lines, [
      ["The provider did not answer for some tasks", {
        provider: "runware",
        asked: 2,
        "server our server": 2,
      }],
      ["The provider did not answer for some tasks", {
        provider: "runware",
        asked: 2,
        "auth our auth": 1,
      }],
    ]);
    for (let time = 0; time < 3; time++) {
      assertEquals(await ask(() => "balance"), ["paused", "our balance"]);
    }
    assertEquals((await newestJob(db, await videoIdOf(db, jobId))).status, "processing");
  }));

Deno.test("those that nobody is asked about take no room in a call", () =>
  withSql(async (db) => {
    const jobs = [];
    for (let n = 0; n < 7; n++) jobs.push((await underWay(db)).jobId);
    await ring(db, "5 minutes");
    await passTime(db, "30 seconds");
    const rung = jobs.slice(5);
    for (const jobId of rung) await recordEvent(db, jobId, { hash: jobId });
    assertEquals((await poll(db, "on")).map((call) => call.toSorted()), [rung.toSorted()]);
    assertEquals(
      await value(
        db,
        "select count(*)::int as value from public.videos where stage = 'generating'",
      ),
      jobs.length,
      "the progress of the others is estimated with it",
    );
  }));

Deno.test("a batch is one call of the provider's size, and the rest is due for the next", () =>
  withSql(async (db) => {
    const jobs = [];
    for (let n = 0; n < 3; n++) jobs.push((await underWay(db)).jobId);
    await passTime(db, "10 seconds");
    const calls = [...await poll(db, "off"), ...await poll(db, "off")];
    assertEquals(calls.map((call) => call.length), [2, 1]);
    assertEquals(calls.flat().toSorted(), jobs.toSorted());
  }));
