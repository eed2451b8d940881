/** The app's progress loop, with a client whose answers are the test's. */
import { assertEquals, assertRejects } from "@std/assert";
import type { SupabaseClient } from "@supabase/supabase-js";
import { followVideo } from "../../docs/mobile/gemreel.ts";

/** A client of which only `functions.invoke` is there. Each call takes the next answer. */
function clientOf(answers: readonly unknown[]) {
  const options: { timeout?: number }[] = [];
  const invoke = (_path: string, given: { timeout?: number }) => {
    options.push(given);
    return Promise.resolve({ data: answers[options.length - 1], error: null });
  };
  const client: Pick<SupabaseClient, "functions"> = {
    functions: Object.assign(Object.create(null), { invoke }),
  };
  return { client: Object.assign(Object.create(null), client), options };
}

const answer = (rev: number, status: string) => ({ videos: [{ rev, status }] });

Deno.test("each state is told once, until the video has ended; no question waits for ever", async () => {
  const { client, options } = clientOf([
    answer(1, "queued"),
    answer(1, "queued"),
    answer(2, "completed"),
  ]);
  const told: number[] = [];
  await followVideo(client, "id", { onVideo: ({ rev }) => told.push(rev) });
  assertEquals(told, [1, 2]);
  assertEquals(options.map(({ timeout }) => timeout), [40_000, 40_000, 40_000]);
});

Deno.test("what the screen throws ends the loop, and is not taken for a lost connection", async () => {
  const { client } = clientOf([answer(1, "completed")]);
  const onVideo = () => {
    throw new TypeError("The screen is gone");
  };
  await assertRejects(() => followVideo(client, "id", { onVideo }), TypeError, "gone");
});
