import { assertEquals } from "@std/assert";
import { newFamily } from "../support/fixtures.ts";
import { addOldVideos } from "../support/old_videos.ts";
import { withSql } from "../support/sql.ts";

/** Enough for a look at all of them to be dearer than an index. */
const OLD_VIDEOS = 20_000;

Deno.test("what runs each minute never reads through the videos of all time", async () => {
  await withSql(async (db) => {
    const { userId } = await newFamily(db);
    await addOldVideos(db, userId, OLD_VIDEOS);
    // So long that none is old enough, as on most days.
    await db.query("update app.settings set video_retention_days = 30");
    await db.query("analyze public.videos, public.video_jobs");
    for (
      const call of [
        "app.reconcile()",
        "app.forget_old_videos(200)",
        "app.check_invariants()",
        "app.work_due('maintain')",
        "app.work_due('submit')",
        "app.prepare_submitting('{runware}')",
        "public.health_report()",
      ]
    ) {
      const scanned = await db.transaction(async (sql) => {
        await sql.query(`select ${call}`);
        return await sql.query(
          `select relname from pg_stat_xact_user_tables
           where relname in ('videos', 'video_jobs') and seq_scan > 0 order by relname`,
        );
      });
      assertEquals(scanned, [], call);
    }
  });
});

Deno.test("functions that look rows up by their ids are never compiled, which takes longer than they do", async () => {
  await withSql(async (db) => {
    const compiled = await db.query(
      `select proname from pg_catalog.pg_proc
       where pronamespace in ('app'::regnamespace, 'public'::regnamespace)
         and proconfig @> '{enable_seqscan=off}' and not proconfig @> '{jit=off}'`,
    );
    assertEquals(compiled, []);
  });
});
