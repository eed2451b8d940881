/** No wish is dropped: what a model takes reaches its provider, and the rest is refused by name. */
import { assert, assertEquals } from "@std/assert";
import type { ModelSpec } from "../../shared/domain/models.ts";
import { planPromptVideo, type Wish } from "../../shared/domain/prompt_video.ts";
import { createTaskOf } from "../../shared/providers/kie/requests.ts";
import type { VideoTask } from "../../shared/providers/provider.ts";
import { modelsOf, type ProviderName } from "../../shared/providers/registry.ts";
import { toVideoInference } from "../../shared/providers/runware/requests.ts";
import { toRunwayRequest } from "../../shared/providers/runway/requests.ts";

const FIRST = "https://images.example.com/1.png";
const LAST = "https://images.example.com/2.png";

/** What each provider is sent for a task. */
const senders: Readonly<Record<string, (task: VideoTask) => unknown>> = {
  runware: toVideoInference,
  runway: toRunwayRequest,
  kie: createTaskOf,
} satisfies Record<ProviderName, unknown>;
/** Values of each option that are not the same wish. */
const wishes: readonly Partial<Wish>[][] = [
  [{ seed: 7 }, { seed: 8 }],
  [{ audio: true }, { audio: false }],
  [{ fps: 16 }, { fps: 24 }, { fps: 25 }, { fps: 30 }],
  [{ duration: 4 }, { duration: 5 }, { duration: 6 }, { duration: 8 }, { duration: 10 }],
  ["360p", "480p", "540p", "720p", "768p", "1080p", "2K", "4K"].map((resolution) => ({
    resolution,
  })),
  (["16:9", "9:16", "1:1", "4:3", "3:4", "21:9"] as const).map((aspectRatio) => ({ aspectRatio })),
  [{ negativePrompt: "rain" }, { negativePrompt: "fog" }],
  [{ style: "Watercolour" }, { style: "Oil" }],
  [{ strategy: "default" }, { strategy: "creative" }, { strategy: "precise" }],
  [{ lastFrame: LAST }, { lastFrame: FIRST }],
];
const fieldOf: Readonly<Record<string, string>> = {
  aspectRatio: "aspect_ratio",
  negativePrompt: "negative_prompt",
  lastFrame: "last_frame",
};

const tables = new Map(
  await Promise.all(
    Object.keys(senders).map(async (name) => [name, await modelsOf(name)] as const),
  ),
);
const tableOf = (provider: string) => tables.get(provider) ?? [];

/** What is sent where the model can do it, else the fields that it refuses. */
function sent(provider: string, spec: ModelSpec, wish: Partial<Wish>) {
  const plan = planPromptVideo(spec, { prompt: "A fox on a hill", ...wish });
  if ("problems" in plan) return { refused: plan.problems.map(({ field }) => field) };
  const id = "00000000-0000-4000-8000-000000000001";
  return { body: JSON.stringify(senders[provider]?.({ id, model: spec.id, ...plan.request })) };
}

for (const provider of Object.keys(senders)) {
  Deno.test(`${provider}: two different wishes are never sent as the same request, and a refusal names the wish`, () => {
    let told = 0;
    for (const spec of tableOf(provider).filter(({ retired }) => retired !== true)) {
      for (const start of spec.modes.map((mode) => mode === "image" ? { firstFrame: FIRST } : {})) {
        for (const values of wishes) {
          const bodies = new Map<string, string>();
          for (const value of values) {
            const [option = ""] = Object.keys(value);
            const what = `${spec.id} ${JSON.stringify({ ...start, ...value })}`;
            const answer = sent(provider, spec, { ...start, ...value });
            if (answer.refused !== undefined) {
              assertEquals(answer.refused, [fieldOf[option] ?? option], what);
              continue;
            }
            assertEquals(bodies.get(answer.body), undefined, what);
            bodies.set(answer.body, what);
            told++;
          }
        }
      }
    }
    assert(told > 50, String(told));
  });
}

const specOf = (provider: string, id: string) => {
  const spec = tableOf(provider).find((one) => one.id === id);
  if (spec === undefined) throw new Error(id);
  return spec;
};
const planOf = (provider: string, id: string, wish: Partial<Wish>) => {
  const plan = planPromptVideo(specOf(provider, id), { prompt: "A fox", ...wish });
  return "problems" in plan ? plan.problems.map(({ field, allowed }) => ({ field, allowed })) : [];
};

Deno.test("a seed is refused by models that take none", () => {
  const none = [{ field: "seed", allowed: [] }];
  assertEquals(planOf("kie", "kling-3.0/video", { seed: 7 }), none);
  assertEquals(planOf("kie", "veo3_fast", { seed: 7 }), none);
  assertEquals(planOf("kie", "bytedance/seedance-2", { seed: 7 }), none);
  assertEquals(planOf("kie", "bytedance/v1-pro", { seed: 7 }), []);
  assertEquals(planOf("runway", "gen4.5", { seed: 7 }), []);
  assertEquals(planOf("runware", "pixverse:1@5", { seed: 7 }), []);
});

Deno.test("silence is refused by models that always make sound, and sound by those that make none", () => {
  assertEquals(planOf("kie", "veo3_fast", { audio: false }), [
    { field: "audio", allowed: [true] },
  ]);
  assertEquals(planOf("kie", "veo3_fast", { audio: true }), []);
  assertEquals(planOf("kie", "veo3_fast", {}), []);
  assertEquals(planOf("runware", "pixverse:1@5", { audio: true }), [
    { field: "audio", allowed: [false] },
  ]);
  assertEquals(planOf("runware", "pixverse:1@5", { audio: false }), []);
});

Deno.test("a quality and a shape that a picture decides are refused, and so is a quality that is not there", () => {
  const firstFrame = FIRST;
  const wish = { firstFrame, resolution: "720p", aspectRatio: "9:16" } as const;
  const leaveOut = (field: string) => ({ field, allowed: [] });
  assertEquals(planOf("runware", "pixverse:1@5", wish), [
    leaveOut("aspect_ratio"),
    leaveOut("resolution"),
  ]);
  assertEquals(planOf("runware", "klingai:6@0", { firstFrame, resolution: "720p" }), [
    leaveOut("resolution"),
  ]);
  assertEquals(planOf("kie", "bytedance/v1-pro", wish), [leaveOut("aspect_ratio")]);
  assertEquals(planOf("runway", "gen4.5", wish), []);
  assertEquals(planOf("runware", "pixverse:1@5", { firstFrame }), []);
});

Deno.test("what a door means, and nobody asked for, is no problem where a picture decides it", () => {
  const usual = { aspectRatio: "9:16", resolution: "4K" } as const;
  assertEquals(planOf("runware", "pixverse:1@5", { firstFrame: FIRST, usual }), []);
  assertEquals(planOf("runway", "gen4_turbo", { firstFrame: FIRST, usual }), []);
});

Deno.test("a quality that was charged is asked for, whatever shape the picture has", () => {
  const usual = { aspectRatio: "21:9" } as const;
  const plan = planPromptVideo(specOf("kie", "kling/v3-turbo"), {
    ...{ prompt: "A fox", firstFrame: FIRST, resolution: "1080p", usual },
  });
  if ("problems" in plan) throw new Error(JSON.stringify(plan.problems));
  const order = createTaskOf({ id: "1", model: "kling/v3-turbo", ...plan.request });
  assertEquals("input" in order && order.input["resolution"], "1080p");
});
