/** The SQL functions of storing as typed calls. */
import { z } from "zod";
import type { Sql } from "./database.ts";
import { id, many, one } from "./rows.ts";

const deliveredFile = z.object({
  video_job_id: id,
  started: z.boolean(),
  video_id: id,
  user_id: id,
  provider: z.string(),
  provider_task_id: z.string(),
  result_url: z.string(),
  storage_path: z.string(),
  first_frame_url: z.string().nullable(),
  avatar_path: z.string().nullable(),
  seconds_waiting: z.int(),
});
/** A delivered attempt whose file is to be copied. */
export type DeliveredFile = z.infer<typeof deliveredFile>;

/** What is needed to copy the files of these attempts; `started` is false where somebody holds the video. */
export const startStoring = (sql: Sql, jobIds: string[]): Promise<DeliveredFile[]> =>
  many(sql, deliveredFile, "select * from app.start_storing($1)", [jobIds]);

/** Completes a video whose file is in Storage, and its thumbnail where there is one. */
export const finishStoring = (
  sql: Sql,
  jobId: string,
  path: string,
  thumbnailPath: string | null = null,
): Promise<boolean> =>
  one(sql, z.boolean(), "select app.finish_storing($1, $2, $3) as value", [
    jobId,
    path,
    thumbnailPath,
  ]);

/** Fails a video whose file cannot be had. */
export const failStoring = (sql: Sql, jobId: string, code: string, detail: unknown) =>
  one(sql, z.boolean(), "select app.fail_storing($1, $2, $3) as value", [
    jobId,
    code,
    JSON.stringify(detail),
  ]);

/** Has this attempt's file tried again only when no other waits to be tried. */
export async function putBehind(sql: Sql, queue: string, jobId: string): Promise<void> {
  await sql.query("select app.put_behind($1, $2)", [queue, jobId]);
}
