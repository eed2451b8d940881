import { assertEquals } from "@std/assert";
import type { Database } from "../../shared/db/database.ts";
import { openQueue } from "../../shared/db/queue.ts";
import {
  type ProviderError,
  RESULT_UNREADABLE,
  type TaskState,
  type VideoProvider,
} from "../../shared/providers/provider.ts";
import { pollProvider } from "../../shared/stages/poll.ts";
import {
  accept,
  balanceOf,
  brokenInvariants,
  type Family,
  jobsOf,
  newFamily,
  passTime,
  queueVideo,
  videoOf,
} from "../support/fixtures.ts";
import { quiet, withSql } from "../support/sql.ts";

const unknownTask: ProviderError = {
  kind: "not_found",
  code: "taskNotFound",
  message: "No such task",
  raw: null,
};

/** Says the same of whatever it is asked about. */
function saying(state: (id: string) => TaskState, choosesTaskId: boolean): VideoProvider {
  return {
    ...{ name: "runware", choosesTaskId, callsBack: true, submitBatch: 50, pollBatch: 50 },
    mediaHosts: [],
    submit: () => Promise.resolve([]),
    poll: (ids) => Promise.resolve(ids.map(state)),
    parseEvent: () => [],
    balanceUsd: () => Promise.resolve(0),
  };
}

/** Two minutes after an attempt was accepted. */
async function underWay(
  work: (db: Database, scene: {
    readonly family: Family;
    readonly videoId: string;
    /** Asks the provider, who says this. */
    hear(state: (id: string) => TaskState): Promise<void>;
    attempts(): Promise<[status: string, code: string | null][]>;
  }) => Promise<void>,
  { choosesTaskId = true } = {},
): Promise<void> {
  await withSql(async (db) => {
    await db.query("update app.providers set chooses_task_id = $1, can_cancel = $2", [
      choosesTaskId,
      !choosesTaskId,
    ]);
    const family = await newFamily(db, { gems: 10 });
    const { video_id: videoId } = await queueVideo(db, family);
    await accept(db, videoId);
    await passTime(db, "2 minutes");
    const tools = { database: db, queue: openQueue(db, quiet), node: "test", log: quiet };
    await work(db, {
      family,
      videoId,
      async hear(state) {
        await pollProvider(tools, saying(state, choosesTaskId));
      },
      async attempts() {
        return (await jobsOf(db, videoId)).map((job) => [job.status, job.error_code]);
      },
    });
    assertEquals(await brokenInvariants(db), []);
  });
}

const missing = (id: string): TaskState => ({ id, state: "missing", error: unknownTask });
const working = (id: string): TaskState => ({ id, state: "processing" });
const silent = (id: string): TaskState => ({
  id,
  state: "unanswered",
  error: { ...unknownTask, kind: "server" },
});

Deno.test("a task that is not known once, and then is, is bought once", () =>
  underWay(async (db, { hear, attempts }) => {
    for (const word of [missing, silent, working, missing, working]) {
      await hear(word);
      assertEquals(await attempts(), [["processing", null]]);
      await passTime(db, "70 seconds");
    }
  }));

for (
  const [choosesTaskId, code, status] of [
    [true, "taskNotFound", "queued"],
    [false, "unknown_outcome", "failed"],
  ] as const
) {
  Deno.test(`a task that is not known for two minutes is lost (ids ${choosesTaskId ? "ours" : "theirs"})`, () =>
    underWay(async (db, { videoId, hear, attempts }) => {
      await hear(missing);
      await passTime(db, "70 seconds");
      await hear(silent);
      await passTime(db, "70 seconds");
      await hear(missing);
      assertEquals((await attempts())[0], ["failed", code]);
      assertEquals((await videoOf(db, videoId)).status, status);
      // Should it be there after all, it is to be made for nobody.
      assertEquals(
        (await db.query("select * from app.cancellations")).length,
        choosesTaskId ? 0 : 1,
      );
    }, { choosesTaskId }));
}

Deno.test("a task that was handed over again is not known anew from then on", () =>
  underWay(async (db, { hear, attempts }) => {
    await hear(missing);
    await db.query(
      "update public.video_jobs set status = 'claimed', lease_until = now(), processing_node = 'w'",
    );
    await db.query(
      `select * from app.record_submissions(
         (select jsonb_build_array(jsonb_build_object('video_job_id', id, 'outcome', 'accepted', 'provider_task_id', id))
          from public.video_jobs), 'w')`,
    );
    await passTime(db, "130 seconds");
    await hear(missing);
    assertEquals(await attempts(), [["processing", null]]);
  }));

Deno.test("what was made in a form that we do not know is bought no second time, and no other is bought meanwhile", () =>
  underWay(async (db, { family, videoId, hear, attempts }) => {
    const raw = { status: "success", files: ["https://vm.runware.ai/x.mp4"] };
    const made = (id: string): TaskState => ({
      id,
      state: "unanswered",
      error: { kind: "server", code: RESULT_UNREADABLE, message: "No link", raw },
    });
    await hear(made);
    assertEquals(await attempts(), [["processing", null]], "a worker that is mended can read it");
    await passTime(db, "30 minutes");
    await hear(made);
    assertEquals(await attempts(), [["failed", RESULT_UNREADABLE]]);
    assertEquals((await videoOf(db, videoId)).status, "failed");
    assertEquals(await balanceOf(db, family), 10);
    const [doubt] = await db.query(
      "select provider_error -> 'raw' as raw, resolved_at from public.unknown_outcomes",
    );
    assertEquals(doubt, { raw, resolved_at: null }, "the operator finds the file in it");
    const [provider] = await db.query(
      `select app.free_slots(name) as slots, pause_reason from app.providers where name = 'runware'`,
    );
    assertEquals(provider, { slots: 0, pause_reason: RESULT_UNREADABLE });
  }));
