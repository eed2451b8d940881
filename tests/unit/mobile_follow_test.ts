import { assertEquals, assertRejects } from "@std/assert";
import { createClient } from "@supabase/supabase-js";
import { followVideo, GemreelError } from "../../docs/mobile/gemreel.ts";

Deno.test("the app of docs/mobile.md follows a video that is deleted to its end, and asks no more", async () => {
  const queued = { video_id: "v", status: "queued", rev: 1 };
  const refused = { success: false, code: "not_found", error: "There is no such video" };
  const answers = [
    Response.json({ success: true, videos: [queued] }),
    Response.json({ success: true, videos: [] }),
    Response.json(refused, { status: 404 }),
  ];
  const client = createClient("https://ref.supabase.co", "key", {
    global: { fetch: () => Promise.resolve(answers.shift() ?? Response.error()) },
    auth: { persistSession: false, autoRefreshToken: false },
  });
  const seen: string[] = [];
  const following = followVideo(client, "v", { onVideo: ({ status }) => seen.push(status) });
  const error = await assertRejects(() => following, GemreelError, "There is no such video");
  assertEquals([error.status, seen, answers.length], [404, ["queued"], 1]);
});
