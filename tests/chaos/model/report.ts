/** How a bad story is reported: the story, where it comes from, and how to tell it again. */
import type { RunDetails } from "fast-check";
import type { Story } from "./acts.ts";

/** The shortest bad story that was found, in numbered sentences. */
export function tellFailure(details: RunDetails<[Story]>): string {
  const { seed, counterexamplePath: path, numShrinks, errorInstance, counterexample } = details;
  const story = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
  return [
    story,
    "",
    `Seed ${seed}, path ${path}, made shorter ${numShrinks} times. To tell it again:`,
    `CHAOS_SEED=${seed} CHAOS_PATH=${path} deno task test tests/chaos/model_test.ts`,
    "As a test of its own, for tests/chaos/counterexamples_test.ts:",
    JSON.stringify(counterexample?.[0]),
  ].join("\n");
}
