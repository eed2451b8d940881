import { assert, assertEquals, assertGreater, assertRejects } from "@std/assert";
import { z } from "zod";
import type { Database } from "../../shared/db/database.ts";
import { renewDrain } from "../../shared/db/drain_calls.ts";
import { openQueue } from "../../shared/db/queue.ts";
import { startSubmissions } from "../../shared/db/submit_calls.ts";
import type { Log } from "../../shared/log.ts";
import type { ErrorKind, TaskState, VideoProvider } from "../../shared/providers/provider.ts";
import type { Batch } from "../../shared/stages/batch_of_each.ts";
import { drain, type DrainTools } from "../../shared/stages/drain.ts";
import { pollProvider } from "../../shared/stages/poll.ts";
import {
  accept,
  hangDoorbell,
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

Deno.test("F27 a drain whose time is up stops though there is work, gives up its place and rings", () =>
  withSql(async (db) => {
    await hangDoorbell(db);
    await db.query("select app.enqueue('store-video', gen_random_uuid(), '{}')");
    const drained = async (budget: { budgetMs?: number }) => {
      let time = 0;
      const step = () => {
        time += 15_000;
        return Promise.resolve({ taken: time > 300_000 ? 0 : 1, fullness: 0.1 });
      };
      const report = await drain(
        { database: db, node: "w", now: () => time, ...budget },
        "store",
        step,
      );
      const left = "select count(*)::int as value from app.drainers where node = 'w'";
      assertEquals(await value(db, left), 0);
      return report.batches;
    };
    const rings = () =>
      value(
        db,
        "select count(*)::int as value from net.http_request_queue where url like '%/store-videos'",
      );
    const before = Number(await rings());
    assertEquals(await drained({}), 3);
    assertEquals(await rings(), before + 1);
    assertEquals(await drained({ budgetMs: 10_000 }), 1);
  }));

Deno.test("work that keeps coming in small parts is gathered for longer each time; a full batch is not waited after", () =>
  withSql(async (db) => {
    const batches: Batch[] = [
      ...Array.from({ length: 6 }, () => ({ taken: 1, fullness: 0.01 })),
      { taken: 100, fullness: 1 },
      { taken: 1, fullness: 0.01 },
      ...Array.from({ length: 2 }, () => ({ taken: 75, fullness: 0.75 })),
    ];
    const pauses: number[] = [];
    const pause = (milliseconds: number) => {
      pauses.push(milliseconds);
      return Promise.resolve();
    };
    const tools = { database: db, node: "test", gatherMs: 100, now: () => 0, pause };
    const step = () => Promise.resolve(batches.shift() ?? { taken: 0, fullness: 0 });
    const report = await drain(tools, "poll", step);
    assertEquals(pauses, [100, 200, 400, 800, 1_600, 2_000, 1_000, 2_000, 2_000]);
    assertEquals(report, { batches: 10, work: 257, drained: true });
  }));

interface Begun {
  readonly lane: string;
  readonly end: (fullness: number | Error) => void;
}

/** A step whose batches end when they are told to. No two of them may go by one name. */
function gatedStep() {
  const begun: Begun[] = [];
  const open = new Set<string>();
  let clash: Error | undefined;
  let more = Promise.withResolvers<void>();
  const step = (lane: string) =>
    new Promise<Batch>((resolve, reject) => {
      const end = (fullness: number | Error) => {
        open.delete(lane);
        if (fullness instanceof Error) reject(fullness);
        else resolve({ taken: 100 * fullness, fullness });
      };
      begun.push({ lane, end });
      if (open.has(lane)) clash = new Error(`Two batches at once go by the name "${lane}"`);
      open.add(lane);
      more.resolve();
    });
  /** The next batch that a lane begins. */
  const next = async (wanted: string): Promise<Begun> => {
    for (;;) {
      if (clash !== undefined) throw clash;
      const at = begun.findIndex(({ lane }) => lane === wanted);
      const [found] = at < 0 ? [] : begun.splice(at, 1);
      if (found !== undefined) return found;
      more = Promise.withResolvers();
      await more.promise;
    }
  };
  return { step, next };
}

/** A drain whose first batch was full, so that it has two lanes now. */
async function twoLanes(db: Database, tools: Partial<DrainTools> = {}) {
  const { step, next } = gatedStep();
  const report = drain({ database: db, node: "w", lanes: 2, now: () => 0, ...tools }, "poll", step);
  (await next("w")).end(1);
  return { report, next, main: await next("w") };
}

Deno.test("a full batch brings a second lane, under a name of its own, for as long as its batches are full", () =>
  withSql(async (db) => {
    const { report, next, main } = await twoLanes(db);
    (await next("w lane 2")).end(1);
    (await next("w lane 2")).end(0.5);
    main.end(0.25);
    (await next("w")).end(0);
    assertEquals(await report, { batches: 4, work: 275, drained: true });
    assertEquals(await value(db, "select count(*)::int as value from app.drainers"), 0);
  }));

Deno.test("what fails in the second lane fails the drain, when both lanes have ended", () =>
  withSql(async (db) => {
    const { report, next, main } = await twoLanes(db);
    (await next("w lane 2")).end(new Error("The answer could not be read"));
    main.end(0.1);
    await assertRejects(() => report, Error, "could not be read");
    assertEquals(await value(db, "select count(*)::int as value from app.drainers"), 0);
  }));

for (const how of ["fails", "finds nothing", "is out of time"] as const) {
  Deno.test(`a lane that ${how} waits for the other`, () =>
    withSql(async (db) => {
      const order: string[] = [];
      const watched: Database = {
        ...db,
        query: (text, values) => {
          if (text.includes("end_drain")) order.push("the place is given up");
          return db.query(text, values);
        },
      };
      let time = 0;
      const { report, next, main } = await twoLanes(watched, { now: () => time });
      const over = how === "fails"
        ? assertRejects(() => report, Error, "could not be read")
        : report;
      const other = await next("w lane 2");
      if (how === "is out of time") time = 60_000;
      main.end(
        {
          "fails": new Error("The answer could not be read"),
          "finds nothing": 0,
          "is out of time": 0.5,
        }[how],
      );
      // A question and its answer: whoever does not wait has given up the place by then.
      await db.query("select");
      order.push("the lane ends");
      other.end(0.5);
      await over;
      assertEquals(order, ["the lane ends", "the place is given up"]);
    }));
}

Deno.test("a lane that has lost the place to another worker waits for the other lane as well", () =>
  withSql(async (db) => {
    const order: string[] = [];
    let isLost = false;
    let refused = 0;
    const lost = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const watched: Database = {
      ...db,
      query: async (text, values) => {
        const counts = isLost && text.includes("renew_drain");
        const rows = await db.query(text, values);
        if (counts) {
          // The drain has heard of the first by the second.
          if (++refused === 2) lost.resolve();
        }
        if (text.includes("start_drain") && rows[0]?.["value"] === false) asked.resolve();
        return rows;
      },
    };
    const { report, next, main } = await twoLanes(watched, { renewEveryMs: 1 });
    const over = report.then(() => order.push("the drain is over"));
    const other = await next("w lane 2");
    await db.query("update app.drainers set node = 'another'");
    isLost = true;
    await lost.promise;
    main.end(1);
    await asked.promise;
    // As above: time enough to be over without the lane.
    await db.query("select");
    order.push("the lane ends");
    other.end(0.5);
    await over;
    assertEquals(order, ["the lane ends", "the drain is over"]);
  }));

Deno.test("however long a step takes, the place is kept; given up, it is not taken again", () =>
  withSql(async (db) => {
    const lease = () => value(db, "select lease_until as value from app.drainers where node = 'w'");
    let renewed = Promise.withResolvers<void>();
    const watched: Database = {
      ...db,
      query: async (text, values) => {
        const rows = await db.query(text, values);
        if (text.includes("renew_drain")) renewed.resolve();
        return rows;
      },
    };
    const nextRenewal = () => {
      renewed = Promise.withResolvers();
      return renewed.promise;
    };
    const kept: unknown[] = [];
    const tools = { database: watched, node: "w", renewEveryMs: 1, now: () => 0 };
    await drain(tools, "poll", async () => {
      if (kept.length > 0) return { taken: 0, fullness: 0 };
      kept.push(await lease());
      // One may have begun before.
      await nextRenewal();
      await nextRenewal();
      kept.push(await lease());
      return { taken: 1, fullness: 0.1 };
    });
    assertGreater(Number(kept[1]), Number(kept[0]));
    assertEquals(await renewDrain(db, "poll", "w"), false);
    assertEquals(await lease(), undefined);
  }));
