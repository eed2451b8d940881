/** The end of a video: the row, then its job, the progress entry and the notice at once. */
import { admin, done, rows } from "./client.ts";

/** Completes the video of this provider task. */
export async function complete(taskId: string, videoUrl: string): Promise<void> {
  const now = new Date().toISOString();
  const video = rows(
    await admin.from("videos").update({
      status: "completed",
      stage: "completed",
      progress: 100,
      video_url: videoUrl,
      completed_at: now,
      updated_at: now,
    }).eq("provider_task_id", taskId).select("id, user_id").single(),
  );
  const written = await Promise.all([
    admin.from("video_jobs").update({ status: "completed" }).eq("video_id", video.id),
    admin.from("video_progress").insert({
      video_id: video.id,
      stage: "completed",
      percentage: 100,
      message: "Your video is ready!",
    }),
    admin.from("notifications").insert({
      user_id: video.user_id,
      video_id: video.id,
      title: "Your video is ready",
      data: { video_id: video.id, action: "view_video" },
    }),
  ]);
  written.forEach(done);
}
