import { assertEquals } from "@std/assert";
import type { Database } from "../../shared/db/database.ts";
import { modelsOf } from "../../shared/providers/registry.ts";
import type { TaskBuilder } from "../../shared/stages/submit.ts";
import { videoTaskBuilder } from "../../shared/stages/video_task.ts";
import {
  balanceOf,
  type Family,
  newestJob,
  newFamily,
  passTime,
  queueVideo,
  value,
  videoOf,
} from "../support/fixtures.ts";
import { withSql } from "../support/sql.ts";
import { buildAnything, choking, round } from "../support/submit_rounds.ts";

/** Twelve plain orders, and one between them: its answer, and what became of the attempts. */
async function amongTwelve(db: Database, order: (family: Family) => Promise<string>) {
  const family = await newFamily(db, { gems: 1000 });
  for (let i = 0; i < 6; i++) await queueVideo(db, family);
  const id = await order(family);
  for (let i = 0; i < 6; i++) await queueVideo(db, family);
  const others =
    "select count(*)::int as value from public.video_jobs where video_id <> $1 and status = 'processing'";
  return { family, id, accepted: () => value(db, others, [id]) };
}

Deno.test("an order whose options nobody can read is refunded, and keeps no other from being made", async () => {
  await withSql(async (db) => {
    const { family, id, accepted } = await amongTwelve(db, async ({ userId }) =>
      String(
        await value(db, "select public.queue_video($1, $2, 'h', 60) ->> 'video_id' as value", [
          userId,
          {
            ...{ kind: "prompt", prompt: "A fox", provider: "runware", model: "pixverse:1@5-fast" },
            options: { duration: "5", resolution: "720p" },
          },
        ]),
      ));
    const storage = { signedUrl: () => Promise.reject(new Error("Nothing is signed here")) };
    const build = videoTaskBuilder({
      models: await modelsOf("runware"),
      webhook: { secrets: ["s".repeat(32)] },
      functionName: "runware-webhook",
      storage: { ...storage, remove: () => Promise.resolve() },
    });
    await round(db, choking({}, []), { build });
    assertEquals(await accepted(), 12);
    const { status, error_code } = await videoOf(db, id);
    assertEquals([status, error_code], ["failed", "invalid_request"]);
    assertEquals(await balanceOf(db, family), 1000 - 12 * 10);
    assertEquals(await db.query("select * from app.invariants"), []);
  });
});

Deno.test("an attempt that cannot even be ended keeps no other from being handed over", async () => {
  await withSql(async (db) => {
    const { family, id, accepted } = await amongTwelve(
      db,
      async (family) => (await queueVideo(db, family)).video_id,
    );
    await db.query("update public.video_jobs set claim_count = 5 where video_id = $1", [id]);
    await db.query(
      `alter table public.gem_entries add constraint no_refund
       check (kind <> 'refund' or user_id <> '${family.userId}')`,
    );
    await round(db, choking({}, []));
    assertEquals([await accepted(), (await videoOf(db, id)).status], [12, "queued"]);
    await db.query("alter table public.gem_entries drop constraint no_refund");
    await db.query("select app.reconcile()");
    await round(db, choking({}, []));
    assertEquals((await videoOf(db, id)).status, "failed");
    assertEquals(await balanceOf(db, family), 1000 - 12 * 10);
    assertEquals(await db.query("select * from app.invariants"), []);
  });
});

Deno.test("a video that our own mistake keeps from being put into words waits, and keeps no other from being made", async () => {
  await withSql(async (db) => {
    await db.query("update app.settings set breaker_failures = 1");
    const { id, accepted } = await amongTwelve(
      db,
      async (family) => (await queueVideo(db, family)).video_id,
    );
    const { id: job } = await newestJob(db, id);
    const build: TaskBuilder = (submission) =>
      submission.video_job_id === job
        ? Promise.reject(new Error("A mistake of ours"))
        : buildAnything()(submission);
    await round(db, choking({}, []), { build });
    assertEquals([await accepted(), (await videoOf(db, id)).status], [12, "queued"]);
    await passTime(db, "1 minute");
    await round(db, choking({}, []));
    assertEquals((await videoOf(db, id)).status, "processing");
    assertEquals(await db.query("select * from app.invariants"), []);
  });
});
