import { assertEquals } from "@std/assert";
import { streamVideos } from "../../shared/status/stream.ts";
import type { VideoAnswer } from "../../shared/status/video_state.ts";
import { eventsOf } from "../support/events.ts";

const video: VideoAnswer = {
  ...{ video_id: crypto.randomUUID(), status: "processing", rev: 2, title: "Fox", kind: "clip" },
  ...{ stage: "generating", progress: 40, message: null, eta_seconds: null, gem_cost: 2 },
  ...{ retry_count: 0, error_code: null, error_message: null, duration_seconds: null },
  created_at: "2026-11-21T10:00:00Z",
  completed_at: null,
  estimated_completion: "2026-11-21T10:01:00Z",
  ...{ video_url: null, thumbnail_url: null },
};

Deno.test("a stream that is opened when the isolate has ended already says so at once, and watches nothing", async () => {
  let watched = 0;
  const watcher = {
    get size() {
      return watched;
    },
    watch() {
      watched += 1;
      return () => void (watched -= 1);
    },
  };
  const isolateEnd = AbortSignal.abort();
  const response = streamVideos(
    { ids: [video.video_id], videos: [video], cursor: new Map() },
    { watcher, isolateEnd, lifeMs: 600_000 },
  );
  const events = await Array.fromAsync(eventsOf(response));
  assertEquals(events.map(({ event, data }) => [event, data["reason"]]), [
    ["video", undefined],
    ["end", "reconnect"],
  ]);
  assertEquals(watched, 0);
});
