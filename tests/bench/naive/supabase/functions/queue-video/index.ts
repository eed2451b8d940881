/** POST, user: reads the balance, inserts the video, takes the gems, inserts the job, calls submit-video. */
import { z } from "zod";
import { userOf } from "../../../../../../shared/http/user_token.ts";
import { admin, afterwards, done, projectUrl, rows, secretKey } from "../client.ts";

const bodySchema = z.object({
  user_id: z.uuid().optional(),
  child_id: z.uuid(),
  rhyme_id: z.uuid(),
  avatar_url: z.url().optional(),
});
const EXPECTED_MS = 60_000;

function refuse(status: number, error: string): Response {
  return Response.json({ success: false, error }, { status });
}

export default {
  async fetch(request: Request): Promise<Response> {
    const verdict = await userOf(request);
    if ("refused" in verdict) return refuse(401, "Sign in first");
    const { userId } = verdict;
    const parsed = bodySchema.safeParse(await request.json());
    if (!parsed.success) return refuse(400, "The body is not valid");
    const { user_id, child_id, rhyme_id } = parsed.data;
    if (user_id !== undefined && user_id !== userId) return refuse(403, "Not you");

    const [user, rhyme] = await Promise.all([
      admin.from("users").select("gem_balance").eq("id", userId).single().then(rows),
      admin.from("rhymes").select("title, gem_cost, is_premium").eq("id", rhyme_id).single()
        .then(rows),
    ]);
    if (user.gem_balance < rhyme.gem_cost) return refuse(402, "Not enough gems");
    const estimated_completion_at = new Date(Date.now() + EXPECTED_MS).toISOString();
    const video = rows(
      await admin.from("videos")
        .insert({ user_id: userId, child_id, rhyme_id, estimated_completion_at })
        .select("id").single(),
    );
    done(
      await admin.from("users").update({ gem_balance: user.gem_balance - rhyme.gem_cost })
        .eq("id", userId),
    );
    done(
      await admin.from("video_jobs")
        .insert({ video_id: video.id, priority: rhyme.is_premium ? 2 : 1 }),
    );
    afterwards(
      fetch(`${projectUrl}/functions/v1/submit-video`, {
        method: "POST",
        headers: { apikey: secretKey, "content-type": "application/json" },
        body: JSON.stringify({ video_id: video.id }),
      }).then((response) => response.text()),
    );
    return Response.json({
      success: true,
      video_id: video.id,
      estimated_completion: estimated_completion_at,
      message: `"${rhyme.title}" is in the queue`,
    }, { status: 201 });
  },
};
