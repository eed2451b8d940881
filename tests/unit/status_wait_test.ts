import { assertEquals } from "@std/assert";
import type { VideoAnswer } from "../../shared/status/video_state.ts";
import { whenAllOver } from "../../shared/status/wait.ts";
import type { OnChange, VideoWatcher } from "../../shared/status/watcher.ts";

const video = (video_id: string, status: VideoAnswer["status"], rev = 1): VideoAnswer => ({
  ...{ video_id, status, rev, title: "Fox", kind: "clip", stage: "generating", progress: 40 },
  ...{ message: null, eta_seconds: null, gem_cost: 2, retry_count: 0 },
  ...{ error_code: null, error_message: null, duration_seconds: null, completed_at: null },
  created_at: "2026-11-21T10:00:00Z",
  estimated_completion: "2026-11-21T10:01:00Z",
  ...{ video_url: null, thumbnail_url: null },
});

/** A watcher that tells what a test says. */
class Teller implements VideoWatcher {
  readonly #watches = new Map<OnChange, readonly string[]>();
  get size(): number {
    return this.#watches.size;
  }
  watch(seen: ReadonlyMap<string, number>, onChange: OnChange): () => void {
    this.#watches.set(onChange, [...seen.keys()]);
    return () => this.#watches.delete(onChange);
  }
  get watched(): readonly string[] {
    return [...this.#watches.values()].flat();
  }
  tell(...videos: readonly (VideoAnswer | string)[]): void {
    const changes = videos.map((one) =>
      typeof one === "string" ? { id: one, video: null } : { id: one.video_id, video: one }
    );
    for (const onChange of this.#watches.keys()) onChange(changes);
  }
}

const LONG = 60_000;
const states = (videos: readonly VideoAnswer[]) =>
  videos.map(({ video_id, status }) => `${video_id} ${status}`);

Deno.test("waiting for all ends with the last one, in the order asked; only what is open is watched", async () => {
  const watcher = new Teller();
  const videos = [video("a", "queued"), video("b", "completed"), video("c", "queued")];
  const waiting = whenAllOver(videos, { watcher, milliseconds: LONG, signals: [] });
  assertEquals(watcher.watched, ["a", "c"]);
  watcher.tell(video("c", "rendering", 2));
  watcher.tell(video("c", "completed", 3), video("a", "processing", 2));
  watcher.tell(video("a", "failed", 3));
  assertEquals(states(await waiting), ["a failed", "b completed", "c completed"]);
  assertEquals(watcher.size, 0);
});

Deno.test("a video that is deleted meanwhile is waited for no longer", async () => {
  const watcher = new Teller();
  const videos = [video("a", "queued"), video("b", "queued")];
  const waiting = whenAllOver(videos, { watcher, milliseconds: LONG, signals: [] });
  watcher.tell("a");
  watcher.tell(video("b", "cancelled", 2));
  assertEquals(states(await waiting), ["b cancelled"]);
});

Deno.test("when the time is up, or the isolate ends, what has been heard so far is answered", async () => {
  const watcher = new Teller();
  const ended = new AbortController();
  const videos = [video("a", "queued"), video("b", "queued")];
  const waiting = whenAllOver(videos, { watcher, milliseconds: LONG, signals: [ended.signal] });
  watcher.tell(video("a", "completed", 2));
  ended.abort();
  assertEquals(states(await waiting), ["a completed", "b queued"]);
  const noTime = await whenAllOver(videos, { watcher, milliseconds: 0, signals: [] });
  assertEquals(states(noTime), ["a queued", "b queued"]);
  const tooLate = { watcher, milliseconds: LONG, signals: [ended.signal] };
  assertEquals(states(await whenAllOver(videos, tooLate)), ["a queued", "b queued"]);
  assertEquals(watcher.size, 0);
});

Deno.test("what is over already is not watched at all", async () => {
  const watcher = new Teller();
  const videos = [video("a", "failed"), video("b", "completed")];
  const waiting = whenAllOver(videos, { watcher, milliseconds: LONG, signals: [] });
  assertEquals(watcher.size, 0);
  assertEquals(states(await waiting), ["a failed", "b completed"]);
  assertEquals(await whenAllOver([], { watcher, milliseconds: LONG, signals: [] }), []);
});
