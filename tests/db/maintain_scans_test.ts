import { assertEquals } from "@std/assert";
import { newFamily } from "../support/fixtures.ts";
import { withSql } from "../support/sql.ts";

/** Enough for a look at all of them to be dearer than an index. */
const OLD_VIDEOS = 20_000;

Deno.test("what runs each minute never reads through the videos of all time", async () => {
  await withSql(async (db) => {
    const { userId } = await newFamily(db);
    await db.transaction(async (sql) => {
      // Rows alone: triggers would only make it slow.
      await sql.query("set local session_replication_role = replica");
      await sql.query(
        `with made as (
           insert into public.videos (user_id, title, status, stage, progress, provider, model, gem_cost, max_retries,
             estimated_completion_at, input_hash, storage_path, completed_at, created_at)
           select $1, 'Old', 'completed', 'completed', 100, 'runware', 'fox', 0, 2, now(), 'hash', 'path', now(),
             now() - n * interval '1 minute'
           from generate_series($2::integer, 1, -1) as s (n)
           returning id
         )
         insert into public.video_jobs (video_id, attempt, provider, model, status, finished_at, result_url)
         select m.id, 1, 'runware', 'fox', 'completed', now(), '' from made m`,
        [userId, OLD_VIDEOS],
      );
    });
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
