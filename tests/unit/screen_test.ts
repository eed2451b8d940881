import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Screen, type VideoState } from "../support/screen.ts";

const STAGES = ["initializing", "analyzing", "generating", "rendering", "finalizing", "completed"];

const life = (id: string, user_id: string): VideoState[] =>
  STAGES.map((stage, at) => ({
    ...{ id, user_id, rev: at + 1, stage, progress: at * 20, is_favorite: false },
    status: stage === "completed" ? "completed" : "processing",
  }));

Deno.test("F38 nothing goes backwards on a screen, however messages are doubled, lost and out of order", () => {
  const news = life(crypto.randomUUID(), crypto.randomUUID());
  const told = fc.array(fc.constantFrom(...news), { minLength: 1, maxLength: 40 });
  fc.assert(fc.property(told, (messages) => {
    const screen = new Screen();
    let progress = -1;
    for (const message of messages) {
      screen.show(message);
      const shown = screen.at(message.id)?.progress ?? -1;
      assert(shown >= progress);
      progress = shown;
    }
    assertEquals(progress, Math.max(...messages.map((message) => message.progress)));
  }));
});

Deno.test("F38 a deleted video stays away, though older news of it come late, by message or by answer", () => {
  const news = life(crypto.randomUUID(), crypto.randomUUID());
  const [first] = news;
  const id = first?.id ?? "";
  const screen = new Screen();
  screen.catchUp({ reset: true, rev: "a:1", videos: news.slice(0, 1), deleted: [] });
  screen.remove(id);
  for (const late of news) screen.show(late);
  screen.catchUp({ reset: true, rev: "a:2", videos: news.slice(1, 2), deleted: [] });
  assertEquals(screen.videos, []);
  assertEquals(screen.rev, "a:2");
});
