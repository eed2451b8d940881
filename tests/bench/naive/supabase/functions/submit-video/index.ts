/** POST, own call: loads one video, posts it to the provider, stores the task id. */
import { z } from "zod";
import { admin, askProvider, done, isOwnCall, need, rows } from "../client.ts";

const bodySchema = z.object({ video_id: z.uuid() });

export default {
  async fetch(request: Request): Promise<Response> {
    if (!isOwnCall(request)) return Response.json({ success: false }, { status: 401 });
    const { video_id } = bodySchema.parse(await request.json());
    const video = rows(
      await admin.from("videos").select("id, model, child_id, rhyme_id").eq("id", video_id)
        .single(),
    );
    const [child, rhyme] = await Promise.all([
      admin.from("children").select("name").eq("id", video.child_id).single().then(rows),
      admin.from("rhymes").select("title, prompt_template").eq("id", video.rhyme_id).single()
        .then(rows),
    ]);
    const base = need("WEBHOOK_BASE_URL");
    const taskUUID = crypto.randomUUID();
    const webhook_url = `${base}/runware-webhook?token=${need("PROVIDER_WEBHOOK_SECRET")}`;
    const accepted = await askProvider({
      taskType: "videoInference",
      taskUUID,
      model: video.model,
      positivePrompt: rhyme.prompt_template.replace("{child}", child.name),
      duration: 8,
      width: 1920,
      height: 1080,
      outputType: "URL",
      outputFormat: "MP4",
      includeCost: true,
      deliveryMethod: "async",
      ...(base === "off" ? {} : { webhookURL: webhook_url }),
    });
    if (accepted === undefined) throw new Error("The provider did not take the task");
    const now = new Date().toISOString();
    const written = await Promise.all([
      admin.from("videos").update({
        status: "processing",
        stage: "analyzing",
        progress: 15,
        provider_task_id: taskUUID,
        webhook_url,
        updated_at: now,
      }).eq("id", video_id),
      admin.from("video_jobs")
        .update({ status: "processing", processing_started_at: now, processing_node: "submit" })
        .eq("video_id", video_id),
      admin.from("video_progress")
        .insert({ video_id, stage: "analyzing", percentage: 15, message: "Analyzing…" }),
    ]);
    written.forEach(done);
    return Response.json({ success: true });
  },
};
