import { assertEquals, assertRejects } from "@std/assert";
import type { Database } from "../../shared/db/database.ts";
import { openQueue, type WorkQueue } from "../../shared/db/queue.ts";
import type { VideoProvider } from "../../shared/providers/provider.ts";
import { storeBatch } from "../../shared/stages/store.ts";
import { submitToProvider } from "../../shared/stages/submit.ts";
import type { WorkerTools } from "../../shared/stages/worker_tools.ts";
import {
  accept,
  brokenInvariants,
  deliver,
  newFamily,
  queueVideo,
  videoOf,
} from "../support/fixtures.ts";
import { quiet, withSql } from "../support/sql.ts";

const DEATH = "The worker died here";

/** The database of a worker that dies at the end of its nth transaction, before it commits; its last words say how the videos stood. */
function dyingAt(nth: number, db: Database): Database {
  let count = 0;
  return {
    ...db,
    transaction: (work) =>
      db.transaction(async (sql) => {
        const result = await work(sql);
        if (++count < nth) return result;
        const videos = await sql.query("select status from public.videos");
        throw new Error(`${DEATH}: ${videos.map(({ status }) => status).join()}`);
      }),
  };
}

const provider: VideoProvider = {
  name: "runware",
  choosesTaskId: true,
  callsBack: true,
  submitBatch: 20,
  pollBatch: 50,
  mediaHosts: [],
  submit: (tasks) =>
    Promise.resolve(tasks.map(({ id }) => ({ id, outcome: "accepted", providerTaskId: id }))),
  poll: () => Promise.resolve([]),
  parseEvent: () => [],
  balanceUsd: () => Promise.resolve(0),
};

async function withQueue(
  work: (db: Database, queue: WorkQueue) => Promise<void>,
): Promise<void> {
  await withSql(async (db) => {
    const queue = openQueue(db, quiet);
    await queue.ready();
    try {
      await work(db, queue);
    } finally {
      await queue.close();
    }
  });
}

/** An attempt and its queue job. */
function attempt(db: Database, queue: string) {
  return db.query(
    `select j.status as attempt, q.state::text as job
     from public.video_jobs j join pgboss.job q on q.id = j.id and q.name = $1`,
    [queue],
  );
}

const expected = [
  { nth: 1, doing: "claiming", attempt: "pending", job: "created" },
  { nth: 2, doing: "writing down the answer", attempt: "claimed", job: "active" },
];
for (const { nth, doing, ...left } of expected) {
  Deno.test(`F07 a submitter that dies before the commit of ${doing} leaves attempt and queue job as one`, async () => {
    await withQueue(async (db, queue) => {
      await queueVideo(db, await newFamily(db, { gems: 10 }));
      const tools: WorkerTools = { database: dyingAt(nth, db), queue, node: "w", log: quiet };
      const submit = () =>
        submitToProvider(
          tools,
          provider,
          ({ video_job_id: id, model }) =>
            Promise.resolve({ id, model, prompt: "x", durationSeconds: 8 }),
        );
      await assertRejects(submit, Error, `${DEATH}: processing`);
      assertEquals(await attempt(db, "submit-runware"), [left]);
      assertEquals(await brokenInvariants(db), []);
    });
  });
}

Deno.test("F07 a worker that dies before the commit of a stored file leaves video and queue job as one", async () => {
  await withQueue(async (db, queue) => {
    const { video_id } = await queueVideo(db, await newFamily(db, { gems: 10 }));
    const job = await accept(db, video_id);
    await deliver(db, job);
    const mp4 = new TextEncoder().encode("\0\0\0\x0cftypisom");
    await using media = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen: () => {} },
      () => new Response(mp4),
    );
    const host = `127.0.0.1:${media.addr.port}`;
    await db.query("update public.video_jobs set result_url = $1", [`http://${host}/x.mp4`]);
    const tools: WorkerTools = { database: dyingAt(2, db), queue, node: "w", log: quiet };
    const providers = new Map([["runware", { ...provider, mediaHosts: [host] }]]);
    const store = {
      put: async (_path: string, body: ReadableStream<Uint8Array>) => {
        await new Response(body).bytes();
        return "stored" as const;
      },
    };
    await assertRejects(() => storeBatch(tools, providers, store), Error, `${DEATH}: completed`);
    assertEquals((await videoOf(db, video_id)).status, "rendering");
    assertEquals(await attempt(db, "store-video"), [{ attempt: "completed", job: "active" }]);
    assertEquals(await brokenInvariants(db), []);
  });
});
