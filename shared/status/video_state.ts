/** Where a video stands: as the database tells it, and as its owner is told. */
import { z } from "zod";
import { videoKinds } from "../domain/video_kinds.ts";

const time = z.iso.datetime({ offset: true });

const told = z.object({
  video_id: z.guid(),
  title: z.string(),
  kind: z.enum(videoKinds),
  status: z.enum(["queued", "processing", "rendering", "completed", "failed", "cancelled"]),
  stage: z.enum([
    "initializing",
    "analyzing",
    "generating",
    "rendering",
    "finalizing",
    "completed",
  ]),
  progress: z.int().min(0).max(100).meta({ description: "Percent." }),
  rev: z.int().meta({ description: "Grows with every change of the video." }),
  message: z.string().nullable().meta({ description: "A sentence for whoever waits." }),
  eta_seconds: z.int().nullable().meta({
    description:
      "Seconds left, estimated; null where nobody knows, and once it failed or was cancelled.",
  }),
  gem_cost: z.int(),
  retry_count: z.int(),
  error_code: z.string().nullable(),
  error_message: z.string().nullable().meta({ description: "Why it failed, for people." }),
  duration_seconds: z.number().nullable(),
  created_at: time,
  completed_at: time.nullable(),
  estimated_completion: time,
});

/** A video as `app.status_of` gives it. */
export const videoState = told.extend({
  storage_path: z.string().nullable(),
  thumbnail_path: z.string().nullable(),
});
/** A video as the database tells it. */
export type VideoState = z.infer<typeof videoState>;

/** A video as `video-status` answers it: with links in place of paths. */
export const videoAnswer = told.extend({
  video_url: z.url().nullable().meta({
    description: "Signed, of the finished file. Lives an hour: ask again rather than keep it.",
  }),
  thumbnail_url: z.url().nullable().meta({ description: "Signed in the same way." }),
});
/** A video as its owner is told. */
export type VideoAnswer = z.infer<typeof videoAnswer>;

/** Whether nothing more will happen to it. */
export function isOver({ status }: Pick<VideoAnswer, "status">): boolean {
  return status === "completed" || status === "failed" || status === "cancelled";
}
