import { assertEquals } from "@std/assert";
import type { Database } from "../../shared/db/database.ts";
import type { Batch } from "../../shared/stages/drain.ts";
import { submitBatch } from "../../shared/stages/submit.ts";
import type { SubmitOutcome, VideoProvider, VideoTask } from "../../shared/providers/provider.ts";
import { openQueue } from "../../shared/db/queue.ts";
import { newFamily, passTime, queueVideo, value } from "../support/fixtures.ts";
import { quiet, withSql } from "../support/sql.ts";

/** A provider that answers a whole call with an error when one task is among it. */
function choking(poison: { id?: string }, calls: number[]): VideoProvider {
  return {
    name: "runware",
    choosesTaskId: true,
    callsBack: true,
    submitBatch: 20,
    pollBatch: 50,
    mediaHosts: [],
    submit(tasks: readonly VideoTask[]): Promise<SubmitOutcome[]> {
      calls.push(tasks.length);
      const choked = tasks.some((task) => task.id === poison.id);
      return Promise.resolve(tasks.map(({ id }): SubmitOutcome =>
        choked
          ? {
            id,
            outcome: "unknown",
            error: { kind: "server", code: "http_500", message: "oops", raw: null },
          }
          : { id, outcome: "accepted", providerTaskId: id }
      ));
    },
    poll: () => Promise.resolve([]),
    parseEvent: () => [],
    balanceUsd: () => Promise.resolve(0),
  };
}

async function round(db: Database, provider: VideoProvider): Promise<Batch> {
  const queue = openQueue(db, quiet);
  await queue.ready();
  const tools = { database: db, queue, node: crypto.randomUUID(), log: quiet };
  const batch = await submitBatch(tools, provider, (submission) =>
    Promise.resolve({
      id: submission.video_job_id,
      model: submission.model,
      prompt: "x",
      durationSeconds: 8,
    }));
  await queue.close();
  return batch;
}

Deno.test("one task that makes the provider choke does not keep the others from being made", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 1000 });
    for (let i = 0; i < 12; i++) await queueVideo(db, family);
    const poison = {
      id: String(await value(db, "select id as value from public.video_jobs order by id limit 1")),
    };
    const calls: number[] = [];
    const accepted = () =>
      value(db, "select count(*)::int as value from public.video_jobs where status = 'processing'");
    await round(db, choking(poison, calls));
    assertEquals([await accepted(), calls], [0, [12]], "once is no reason to ask for each alone");
    await passTime(db, "1 minute");
    await round(db, choking(poison, calls));
    assertEquals(await accepted(), 11);
    assertEquals(await db.query("select * from app.invariants"), []);
  });
});

Deno.test("jobs of attempts that are over are cleared away without a pause: whoever stands behind them is next", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 20 });
    const { video_id } = await queueVideo(db, family);
    await db.query("select public.cancel_video($1, $2)", [family.userId, video_id]);
    const calls: number[] = [];
    assertEquals(await round(db, choking({ id: "" }, calls)), { taken: 1, full: true });
    await queueVideo(db, family);
    assertEquals(await round(db, choking({ id: "" }, calls)), { taken: 1, full: false });
    assertEquals(calls, [1]);
    assertEquals(await round(db, choking({ id: "" }, calls)), { taken: 0, full: false });
  });
});
