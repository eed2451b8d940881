import { assert, assertEquals } from "@std/assert";
import { checkRequest } from "../../shared/domain/model_limits.ts";
import { findModel } from "../../shared/domain/models.ts";
import { planPromptVideo, type Wish } from "../../shared/domain/prompt_video.ts";
import { childSafeNegativePrompt, wordsPrompts } from "../../shared/domain/prompts.ts";
import { modelsOf } from "../../shared/providers/registry.ts";

const runware = await modelsOf("runware");
const everyModel = [
  ...runware,
  ...await modelsOf("runway"),
  ...await modelsOf("kie"),
];
const plan = (wish: Partial<Wish>, name = "pixverse:1@5-fast") => {
  const spec = findModel(runware, name);
  if (spec === undefined) throw new Error(name);
  return planPromptVideo(spec, { prompt: "a fox on a hill", ...wish });
};
const requestOf = (...args: Parameters<typeof plan>) => {
  const planned = plan(...args);
  if ("problems" in planned) throw new Error(JSON.stringify(planned.problems));
  return planned.request;
};

Deno.test("without wishes: the usual length, shape and quality", () => {
  const { durationSeconds, width, height } = requestOf({});
  assertEquals([durationSeconds, width, height], [5, 1280, 720]);
});

Deno.test("resolution and aspect ratio become a size of the model", () => {
  const { width, height } = requestOf({ resolution: "1080p", aspectRatio: "9:16" });
  assertEquals([width, height], [1080, 1920]);
});

Deno.test("style and strategy are said beside the caller's words, which stay as they are", () => {
  const told = (wish: Partial<Wish>) => requestOf(wish).prompt;
  assertEquals(told({}), "a fox on a hill");
  assertEquals(told({ style: "Watercolour" }), "a fox on a hill. Style: Watercolour.");
  assert(told({ strategy: "creative" }).startsWith("a fox on a hill. Read this freely"));
  assert(told({ strategy: "precise" }).endsWith("add nothing that is not described."));
  // Nothing that was asked for is cut to make room.
  const refused = plan({ prompt: "x".repeat(2_040), strategy: "precise" });
  assertEquals("problems" in refused && refused.problems.map(({ field }) => field), ["prompt"]);
});

Deno.test("what no child should see is kept out beside what the caller keeps out", () => {
  const own = requestOf({ negativePrompt: "rain, fog" }).negativePrompt ?? "";
  assert(own.startsWith(`${childSafeNegativePrompt}, rain, fog, text, captions`), own);
  assert(requestOf({}).negativePrompt?.startsWith(`${childSafeNegativePrompt}, text`));
});

Deno.test("no words of a caller's push out what no child should see, at any model", () => {
  for (const spec of everyModel.filter(({ negativePromptMax }) => negativePromptMax > 0)) {
    const room = spec.negativePromptMax - childSafeNegativePrompt.length - 2;
    const told = wordsPrompts({ prompt: "a fox", negativePrompt: "a".repeat(room) }, spec);
    assertEquals(told.negativePrompt, `${childSafeNegativePrompt}, ${"a".repeat(room)}`);
    const { negativePrompt = "" } = wordsPrompts({
      prompt: "a fox",
      negativePrompt: "a".repeat(room + 1),
    }, spec);
    const [problem] = checkRequest(spec, { prompt: "a fox", negativePrompt, durationSeconds: 5 })
      .filter(({ field }) => field === "negativePrompt");
    assertEquals(problem?.allowed, [{ min: 2, max: room }], spec.name);
  }
});

Deno.test("a model that takes no negative prompt says so only to who sends one", () => {
  const frame = { firstFrame: "https://a.example/1.png" };
  assertEquals(requestOf(frame, "klingai:5@1").negativePrompt, undefined);
  const refused = plan({ ...frame, negativePrompt: "rain" }, "klingai:5@1");
  const problems = "problems" in refused ? refused.problems : [];
  assertEquals(problems.map(({ field }) => field), ["negative_prompt"]);
});

Deno.test("where the picture decides the size, the dearest quality is charged", () => {
  const frame = { firstFrame: "https://a.example/1.png" };
  const charged = (wish: Partial<Wish>, name?: string) => {
    const planned = plan(wish, name);
    return "problems" in planned ? planned.problems : planned.resolution;
  };
  for (const resolution of [undefined, "360p", "1080p"]) {
    assertEquals(charged({ ...frame, usual: { resolution } }), "1080p");
  }
  assertEquals(charged({ ...frame, duration: 5 }, "bytedance:2@1"), "1080p");
  assertEquals(charged({ duration: 5 }, "bytedance:2@1"), "480p");
});

Deno.test("where the picture decides the shape only, the quality asked for is charged", async () => {
  const spec = findModel(await modelsOf("kie"), "bytedance/v1-pro");
  if (spec === undefined) throw new Error("No Seedance at KIE");
  for (const resolution of ["480p", "720p", "1080p"]) {
    const wish = { prompt: "a fox", firstFrame: "https://a.example/1.png", resolution };
    const planned = planPromptVideo(spec, wish);
    assertEquals("problems" in planned ? planned.problems : planned.resolution, resolution);
  }
});
