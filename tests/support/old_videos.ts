/** Videos of long ago, many at once. */
import type { Database } from "../../shared/db/database.ts";

/** Gives a user so many finished videos, a minute apart, the newest first; their rows alone. */
export async function addOldVideos(db: Database, userId: string, count: number): Promise<void> {
  await db.transaction(async (sql) => {
    // Triggers would only make it slow.
    await sql.query("set local session_replication_role = replica");
    await sql.query(
      `with made as (
         insert into public.videos (user_id, title, status, stage, progress, provider, model, gem_cost, max_retries,
           estimated_completion_at, input_hash, storage_path, completed_at, created_at)
         select $1, 'Old', 'completed', 'completed', 100, 'runware', 'fox', 0, 2, now(), 'hash', 'path', now(),
           now() - n * interval '1 minute'
         from generate_series($2::integer, 1, -1) as s (n)
         returning id, created_at
       )
       insert into public.video_jobs (video_id, attempt, provider, model, status, finished_at, result_url)
       select m.id, 1, 'runware', 'fox', 'completed', m.created_at, '' from made m`,
      [userId, count],
    );
  });
}
