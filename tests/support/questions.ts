/** Counts how often video-status asks the database. */
import type { Sql } from "../../shared/db/database.ts";
import { value } from "./fixtures.ts";

/**
 * From here on each question of the watcher ("changes") and each reading for one client ("status")
 * counts. Answers the counters.
 */
export async function countQuestions(sql: Sql) {
  await sql.query(`
    create sequence app.changes_asked;
    create sequence app.status_asked;
    alter function public.video_changes(uuid[], bigint[]) rename to video_changes_itself;
    alter function public.video_status(uuid, uuid[]) rename to video_status_itself;
    create function public.video_changes(p_video_ids uuid[], p_revs bigint[]) returns jsonb
    language plpgsql security definer set search_path = '' as $$
    begin
      perform nextval('app.changes_asked');
      return public.video_changes_itself(p_video_ids, p_revs);
    end $$;
    create function public.video_status(p_user_id uuid, p_video_ids uuid[]) returns jsonb
    language plpgsql security definer set search_path = '' as $$
    begin
      perform nextval('app.status_asked');
      return public.video_status_itself(p_user_id, p_video_ids);
    end $$;
    grant execute on function public.video_changes(uuid[], bigint[]) to service_role;
    grant execute on function public.video_status(uuid, uuid[]) to service_role;
  `);
  const count = async (sequence: string) =>
    Number(
      await value(
        sql,
        `select case when is_called then last_value else 0 end as value from ${sequence}`,
      ),
    );
  return {
    changes: () => count("app.changes_asked"),
    status: () => count("app.status_asked"),
  };
}
