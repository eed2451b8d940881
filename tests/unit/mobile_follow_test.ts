import { assertEquals, assertRejects } from "@std/assert";
import { createClient } from "@supabase/supabase-js";
import { followVideo, GemreelError, startVideo } from "../../docs/mobile/gemreel.ts";

/** A client that is answered with these, one after the other. */
const clientOf = (answers: Response[]) =>
  createClient("https://ref.supabase.co", "key", {
    global: { fetch: () => Promise.resolve(answers.shift() ?? Response.error()) },
    auth: { persistSession: false, autoRefreshToken: false },
  });

Deno.test("the app of docs/mobile.md follows a video that is deleted to its end, and asks no more", async () => {
  const queued = { video_id: "v", status: "queued", rev: 1 };
  const refused = { success: false, code: "not_found", error: "There is no such video" };
  const answers = [
    Response.json({ success: true, videos: [queued] }),
    Response.json({ success: true, videos: [] }),
    Response.json(refused, { status: 404 }),
  ];
  const client = clientOf(answers);
  const seen: string[] = [];
  const following = followVideo(client, "v", { onVideo: ({ status }) => seen.push(status) });
  const error = await assertRejects(() => following, GemreelError, "There is no such video");
  assertEquals([error.status, seen, answers.length], [404, ["queued"], 1]);
});

Deno.test("a refusal tells the app when to try again, where the server says so in seconds", async () => {
  const busy = { success: false, code: "unavailable", error: "We are very busy" };
  const told: (number | null)[] = [];
  for (const after of ["5", "Sun, 01 Nov 2026 00:02:00 GMT", null]) {
    const headers: HeadersInit = after === null ? {} : { "retry-after": after };
    const client = clientOf([Response.json(busy, { status: 503, headers })]);
    const start = () => startVideo(client, { childId: "c", rhymeId: "r", tap: "t" });
    told.push((await assertRejects(start, GemreelError, "We are very busy")).retryAfter);
  }
  assertEquals(told, [5, null, null]);
});
