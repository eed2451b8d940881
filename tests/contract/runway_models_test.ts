/** Our table of Runway's models against the sandbox's, which was written from the SDK's types. */
import { assertEquals } from "@std/assert";
import { startRunwaySandbox } from "../../local/sandbox/runway.ts";
import { checkRequest } from "../../shared/domain/model_limits.ts";
import { allows, estimateUsd, type ModelSpec } from "../../shared/domain/models.ts";
import type { SubmitOutcome, VideoTask } from "../../shared/providers/provider.ts";
import { createRunwayProvider } from "../../shared/providers/runway/adapter.ts";
import { runwayModels } from "../../shared/providers/runway/models.ts";
import { standing } from "../support/runware_support.ts";
import { runwayTask } from "../support/runway_support.ts";

const PICTURE = "https://project.example/avatars/mia.png";
const STARTS = [{}, { firstFrame: PICTURE }, { firstFrame: PICTURE, lastFrame: PICTURE }];
const EVERY_SIZE = runwayModels.flatMap(({ tiers }) => tiers.flatMap(({ sizes }) => sizes));

/** Each model with every size, start and length that any model has, and a few that none has. */
function everyWay(spec: ModelSpec): VideoTask[] {
  return EVERY_SIZE.flatMap((size) =>
    STARTS.flatMap((start) =>
      [1, 2, 4, 5, 6, 8, 10, 11].map((durationSeconds) =>
        runwayTask({ model: spec.id, durationSeconds, ...size, ...start })
      )
    )
  );
}

Deno.test("runway: the sandbox takes what our table allows and refuses what it forbids, at our price", async () => {
  const sandbox = await startRunwaySandbox({ knobs: { manual: true, creditBalance: 10_000_000 } });
  const { apiKey, url, control } = sandbox;
  try {
    const provider = createRunwayProvider({ apiKey, url });
    for (const spec of runwayModels) {
      const tasks = everyWay(spec);
      const outcomes: SubmitOutcome[] = await provider.submit(tasks);
      const wrong = tasks.flatMap((task, at) => {
        const allowed = checkRequest(spec, task).length === 0;
        const taken = outcomes[at]?.outcome === "accepted";
        const { width, height, durationSeconds, firstFrame, lastFrame } = task;
        const asked = `${spec.id} ${width}x${height} ${durationSeconds} s`;
        return allowed === taken
          ? []
          : [`${asked} ${!!firstFrame} ${!!lastFrame}: ${standing(outcomes[at])}`];
      });
      assertEquals(wrong, []);
      assertEquals(outcomes.some(({ outcome }) => outcome === "accepted"), true);
      const [outcome, task] = outcomes.flatMap((one, at) =>
        one.outcome === "accepted" ? [one.providerTaskId, tasks[at]] : []
      );
      if (typeof outcome !== "string" || typeof task !== "object") {
        throw new Error("None was taken");
      }
      const { cost } = control.finish(outcome);
      assertEquals((cost ?? 0) / 100, estimateUsd(spec, task));
      control.reset();
    }
  } finally {
    await sandbox.close();
  }
});

Deno.test("runway: lengths are whole seconds", () => {
  for (const { durations } of runwayModels) assertEquals(allows(durations, 5.5), false);
});
