/** POST, own call: asks the provider about each video in flight, one call and two writes each. */
import { admin, askProvider, done, isOwnCall, rows } from "../client.ts";
import { complete } from "../complete.ts";

export default {
  async fetch(request: Request): Promise<Response> {
    if (!isOwnCall(request)) return Response.json({ success: false }, { status: 401 });
    const videos = rows(
      await admin.from("videos").select("id, progress, provider_task_id")
        .eq("status", "processing").order("created_at"),
    );
    for (const video of videos) {
      const task = await askProvider({
        taskType: "getResponse",
        taskUUID: video.provider_task_id,
      });
      if (task?.videoURL !== undefined) {
        await complete(task.taskUUID, task.videoURL);
        continue;
      }
      const progress = Math.min(85, Math.max(video.progress + 1, task?.progress ?? 0));
      const written = await Promise.all([
        admin.from("videos")
          .update({ stage: "generating", progress, updated_at: new Date().toISOString() })
          .eq("id", video.id),
        admin.from("video_progress").insert({
          video_id: video.id,
          stage: "generating",
          percentage: progress,
          message: "Painting the scenes…",
        }),
      ]);
      written.forEach(done);
    }
    return Response.json({ success: true, polled: videos.length });
  },
};
