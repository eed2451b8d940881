/** A video as `generate-video` and `wait-video` tell it: as a task of Runway's. */
import { z } from "zod";
import { errorTypeOfVideo, errorTypes } from "../domain/error_types.ts";
import type { UserVisit } from "../http/door.ts";
import { fromRpcError, HttpError } from "../http/http_error.ts";
import { readVideos } from "../status/read.ts";
import type { VideoAnswer } from "../status/video_state.ts";

/** Where in the owner's folder of the bucket these videos are kept. */
export const REELS_FOLDER = "videos/reels";

const seconds = z.int().nonnegative();

/** A task. Ids are ours: Runway's own is not known yet when the first answer is due. */
export const videoTask = z.object({
  id: z.guid(),
  task_id: z.guid().meta({ description: "The same as id: what ?taskId= takes." }),
  contentDraftId: z.string().optional(),
  status: z.enum(["queued", "processing", "rendering", "completed", "failed", "cancelled"]),
  progress: z.int().min(0).max(100),
  message: z.string().meta({ description: "A sentence for whoever waits." }),
  estimated_time: seconds.meta({ description: "Seconds, as told when it was queued." }),
  actual_time: seconds.nullable().meta({ description: "Seconds from queued to stored." }),
  video_url: z.url().nullable().meta({ description: "Signed; lives an hour." }),
  storage_path: z.string().nullable(),
  error: z.string().optional().meta({ description: "Why it failed, for people." }),
  error_type: z.enum(errorTypes).optional(),
});
/** A task. */
export type VideoTaskAnswer = z.infer<typeof videoTask>;

const row = z.object({
  storage_path: z.string().nullable(),
  options: z.object({ content_draft_id: z.string() }).partial(),
});

/** A task that was queued this moment. */
export function queuedTask(
  { video_id, estimated_seconds }: { video_id: string; estimated_seconds: number },
  contentDraftId: string | undefined,
): VideoTaskAnswer {
  return {
    id: video_id,
    task_id: video_id,
    status: "queued",
    progress: 0,
    ...(contentDraftId === undefined ? {} : { contentDraftId }),
    message: "Waiting for a free easel…",
    estimated_time: estimated_seconds,
    actual_time: null,
    video_url: null,
    storage_path: null,
  };
}

/** The video behind a task of this user. Throws HttpError: 404 where there is none. */
export async function readTaskVideo(visit: UserVisit, taskId: string): Promise<VideoAnswer> {
  const [video] = await readVideos(visit.admin(), { userId: visit.userId, ids: [taskId] });
  if (video === undefined) throw noSuchTask();
  return video;
}

/** The task that this video is. Throws HttpError: 404 where it was not made by generate-video. */
export async function taskOf(visit: UserVisit, video: VideoAnswer): Promise<VideoTaskAnswer> {
  const { data, error } = await visit.admin().from("videos").select("storage_path, options")
    .eq("id", video.video_id).eq("user_id", visit.userId).eq("folder", REELS_FOLDER)
    .maybeSingle();
  if (error) throw fromRpcError(error);
  if (data === null) throw noSuchTask();
  const { storage_path, options: { content_draft_id } } = row.parse(data);
  const { video_id: id, status, progress, message, error_message, video_url } = video;
  return {
    id,
    task_id: id,
    status,
    progress,
    video_url,
    storage_path,
    ...(content_draft_id === undefined ? {} : { contentDraftId: content_draft_id }),
    message: message ?? "",
    estimated_time: secondsBetween(video.created_at, video.estimated_completion),
    actual_time: video.completed_at === null
      ? null
      : secondsBetween(video.created_at, video.completed_at),
    ...(error_message === null ? {} : { error: error_message }),
    ...(video.error_code === null ? {} : {
      error_type: errorTypeOfVideo(video.error_code, await storingCode(visit, video)),
    }),
  };
}

/** Why the file could not be stored, where that is what failed. */
async function storingCode(visit: UserVisit, video: VideoAnswer): Promise<string | undefined> {
  if (video.error_code !== "storing_failed") return undefined;
  const { data, error } = await visit.admin().from("video_jobs").select("error_code")
    .eq("video_id", video.video_id).eq("error_kind", "storing").maybeSingle();
  if (error) throw fromRpcError(error);
  return data?.error_code ?? undefined;
}

/** Whole seconds, a begun one counted. */
function secondsBetween(from: string, to: string): number {
  return Math.max(0, Math.ceil((Date.parse(to) - Date.parse(from)) / 1_000));
}

function noSuchTask(): HttpError {
  return new HttpError(404, "not_found", "There is no such task", {
    details: [{ field: "taskId", message: "is not a task of yours" }],
  });
}
