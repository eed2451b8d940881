import { assertEquals } from "@std/assert";
import type { Database } from "../../shared/db/database.ts";
import {
  recordSubmissions,
  startSubmissions,
  type SubmissionRecord,
} from "../../shared/db/submit_calls.ts";
import { asUser } from "../support/as_user.ts";
import {
  balanceOf,
  brokenInvariants,
  type Family,
  newestJob,
  newFamily,
  passTime,
  queueVideo,
  value,
} from "../support/fixtures.ts";
import { withSql } from "../support/sql.ts";

/** Whose id a task has: the provider's own, or the attempt's. */
const IDS = ["theirs", "ours"] as const;

/** A video whose attempt is being handed over. */
interface Handover {
  readonly db: Database;
  readonly family: Family;
  readonly videoId: string;
  readonly jobId: string;
}

async function handingOver(
  work: (scene: Handover) => Promise<void>,
  ids: typeof IDS[number] = "theirs",
): Promise<void> {
  await withSql(async (db) => {
    await db.query("update app.providers set chooses_task_id = $1", [ids === "ours"]);
    const family = await newFamily(db, { gems: 10 });
    const { video_id: videoId } = await queueVideo(db, family);
    const { id: jobId } = await newestJob(db, videoId);
    await startSubmissions(db, [jobId], "w");
    await work({ db, family, videoId, jobId });
    assertEquals(await brokenInvariants(db), []);
  });
}

const cancel = ({ db, family, videoId }: Handover) =>
  db.query("select public.cancel_video($1, $2)", [family.userId, videoId]);

/** The provider's answer, which comes when the video is over. Nobody is told that anything changed. */
async function answer(
  { db, jobId }: Handover,
  { outcome, code = "400" }: { outcome: "accepted" | "failed"; code?: string },
) {
  const records: Record<typeof outcome, SubmissionRecord> = {
    accepted: { video_job_id: jobId, outcome: "accepted", provider_task_id: "task-x" },
    failed: {
      ...{ video_job_id: jobId, outcome: "failed", code, kind: "validation" },
      ...{ people_code: "bad_input", people_message: "No.", provider_error: null },
      delay_seconds: null,
    },
  };
  assertEquals(await recordSubmissions(db, [records[outcome]], "w"), []);
}

/** The operator's list. */
const doubts = (db: Database) =>
  db.query("select resolved_at is null as open, resolution from public.unknown_outcomes");

/** Attempts that cost us something nobody has told yet. */
const costsUnknown = (db: Database) =>
  value(db, "select coalesce(sum(costs_unknown), 0)::int as value from app.margins");

for (const ids of IDS) {
  Deno.test(`${ids}: cancelled while the provider takes it: the purchase is on record, and nothing is in doubt`, async () => {
    await handingOver(async (scene) => {
      const { db, family } = scene;
      await cancel(scene);
      assertEquals(await doubts(db), [{ open: true, resolution: null }]);
      await answer(scene, { outcome: "accepted" });
      assertEquals(
        await db.query(
          "select status, provider_task_id, submitted_at is not null as submitted from public.video_jobs",
        ),
        [{ status: "cancelled", provider_task_id: "task-x", submitted: true }],
      );
      assertEquals(await costsUnknown(db), 1);
      assertEquals(await doubts(db), [{
        open: false,
        resolution: "Taken after all, as task task-x",
      }]);
      assertEquals(await balanceOf(db, family), 0);
    }, ids);
  });

  Deno.test(`${ids}: cancelled while the provider refuses it: nothing was bought, and nothing is in doubt`, async () => {
    await handingOver(async (scene) => {
      const { db } = scene;
      await cancel(scene);
      await answer(scene, { outcome: "failed" });
      assertEquals(await costsUnknown(db), 0);
      assertEquals(await doubts(db), [{ open: false, resolution: "Not taken" }]);
    }, ids);
  });

  Deno.test(`${ids}: cancelled while the worker dies: the operator is told that it may have been bought`, async () => {
    await handingOver(async (scene) => {
      const { db } = scene;
      await cancel(scene);
      await passTime(db, "1 hour");
      assertEquals(
        await value(db, "select public.health_report() -> 'unknown_outcomes' as value"),
        1,
      );
    }, ids);
  });

  Deno.test(`${ids}: deleted while the provider takes it: what it cost us outlives the video`, async () => {
    await handingOver(async (scene) => {
      const { db, family, videoId } = scene;
      await asUser(db, family.userId, "select public.delete_videos(array[$1::uuid])", [videoId]);
      await answer(scene, { outcome: "accepted" });
      assertEquals(await db.query("select 1 from public.video_jobs"), []);
      assertEquals(await costsUnknown(db), 1);
      assertEquals(await doubts(db), [{
        open: false,
        resolution: "Taken after all, as task task-x",
      }]);
    }, ids);
  });
}

Deno.test("theirs: cancelled while no answer comes: the operator's doubt stays", async () => {
  await handingOver(async (scene) => {
    const { db } = scene;
    await cancel(scene);
    await answer(scene, { outcome: "failed", code: "unknown_outcome" });
    assertEquals(await doubts(db), [{ open: true, resolution: null }]);
  });
});

Deno.test("a worker that sleeps past its lease and brings the task's id closes the doubt", async () => {
  await handingOver(async (scene) => {
    const { db, jobId } = scene;
    await passTime(db, "1 minute");
    await startSubmissions(db, [jobId], "other");
    assertEquals(await doubts(db), [{ open: true, resolution: null }]);
    await answer(scene, { outcome: "accepted" });
    assertEquals(
      await db.query("select error_code, provider_task_id from public.video_jobs"),
      [{ error_code: "unknown_outcome", provider_task_id: "task-x" }],
    );
    assertEquals(await doubts(db), [{
      open: false,
      resolution: "Taken after all, as task task-x",
    }]);
  });
});

Deno.test("cancelled before anybody took it, or with the provider: nothing is in doubt", async () => {
  await handingOver(async (scene) => {
    const { db, family, jobId } = scene;
    const accepted = {
      ...{ video_job_id: jobId, outcome: "accepted" as const },
      provider_task_id: "task-x",
    };
    await recordSubmissions(db, [accepted], "w");
    await cancel(scene);
    await db.query("select public.grant_gems($1, 10, 'grant', 'Test', 'more')", [family.userId]);
    const { video_id } = await queueVideo(db, family);
    await cancel({ ...scene, videoId: video_id });
    assertEquals(await doubts(db), []);
  });
});

Deno.test("ours: deleted while the provider refuses it: nothing is in doubt", async () => {
  await handingOver(async (scene) => {
    const { db, family, videoId } = scene;
    await asUser(db, family.userId, "select public.delete_videos(array[$1::uuid])", [videoId]);
    await answer(scene, { outcome: "failed" });
    assertEquals(await costsUnknown(db), 0);
    assertEquals(await doubts(db), [{ open: false, resolution: "Not taken" }]);
  }, "ours");
});

Deno.test("ours: cancelled while it is handed over once more: a refusal now says nothing of the first time", async () => {
  await handingOver(async (scene) => {
    const { db, jobId } = scene;
    await passTime(db, "1 hour");
    await startSubmissions(db, [jobId], "w");
    await cancel(scene);
    await answer(scene, { outcome: "failed" });
    assertEquals(await doubts(db), [{ open: true, resolution: null }]);
    assertEquals(await costsUnknown(db), 1);
  }, "ours");
});
