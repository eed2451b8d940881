import { assertEquals } from "@std/assert";
import { readOrder } from "../../local/sandbox/kie/order.ts";
import { allows, type ModelSpec } from "../../shared/domain/models.ts";
import { checkRequest } from "../../shared/domain/model_limits.ts";
import { kieModels } from "../../shared/providers/kie/models.ts";
import { createTaskOf } from "../../shared/providers/kie/requests.ts";
import type { VideoTask } from "../../shared/providers/provider.ts";
import { kieTask } from "../support/kie_support.ts";

const FIRST = "https://project.example/avatars/mia.png";
const LAST = "https://project.example/avatars/end.png";

function inputOf(more: Partial<VideoTask>): { model: string; input: Record<string, unknown> } {
  const request = createTaskOf(kieTask(more));
  if ("kind" in request) throw new Error(request.message);
  return { model: request.model, input: { ...request.input } };
}

/** Every whole number of seconds that the model makes in this quality. */
function secondsOf(spec: ModelSpec, tier: ModelSpec["tiers"][number]): number[] {
  const durations = tier.durations ?? spec.durations;
  return Array.from({ length: 40 }, (_, at) => at).filter((one) => allows(durations, one));
}

Deno.test("whatever the table allows, from words, a picture or two, the sandbox's own schemas take", () => {
  let asked = 0;
  for (const spec of kieModels) {
    for (const tier of spec.tiers) {
      for (const size of tier.sizes) {
        for (const durationSeconds of secondsOf(spec, tier)) {
          for (
            const frames of [{}, { firstFrame: FIRST }, { firstFrame: FIRST, lastFrame: LAST }]
          ) {
            const task = kieTask({ model: spec.id, durationSeconds, ...size, ...frames });
            if (checkRequest(spec, task).length > 0) continue;
            asked++;
            const order = readOrder(createTaskOf(task));
            const what = `${spec.id} ${tier.name} ${durationSeconds} ${JSON.stringify(frames)}`;
            assertEquals("code" in order && order.message, false, what);
          }
        }
      }
    }
  }
  assertEquals(asked > 1_000, true, String(asked));
});

Deno.test("a size is asked for as a quality and a shape", () => {
  const formats = [
    [{ model: "kling/v3-turbo", width: 720, height: 1280 }, "720p", "9:16"],
    [{ model: "kling/v3-turbo", width: 1080, height: 1080 }, "1080p", "1:1"],
    [{ model: "bytedance/v1-pro", width: 854, height: 480 }, "480p", "16:9"],
    [
      { model: "bytedance/seedance-2-5", width: 2520, height: 1080, durationSeconds: 8 },
      "1080p",
      "21:9",
    ],
    [{ model: "minimax-h3", width: 2560, height: 1440 }, "2K", "16:9"],
  ] as const;
  for (const [more, resolution, aspect_ratio] of formats) {
    const { input } = inputOf(more);
    assertEquals(
      [input["resolution"], input["aspect_ratio"]],
      [resolution, aspect_ratio],
      more.model,
    );
  }
});

Deno.test("numbers are strings where a model wants them so", () => {
  assertEquals(inputOf({ model: "kling-2.6" }).input["duration"], "5");
  assertEquals(inputOf({ model: "bytedance/v1-pro" }).input["duration"], "5");
  assertEquals(inputOf({ model: "hailuo/02-standard" }).input["duration"], "5");
  assertEquals(inputOf({ model: "bytedance/seedance-2" }).input["duration"], 5);
  assertEquals(inputOf({ model: "pixverse-v6" }).input["duration"], 5);
  assertEquals(inputOf({ model: "veo3_fast", durationSeconds: 8 }).input["duration"], 8);
});

Deno.test("words, a picture and two pictures go to the model's own ids and fields", () => {
  const ways: readonly (readonly [Partial<VideoTask>, model: string, frames: object])[] = [
    [{ model: "kling-2.6" }, "kling-2.6/text-to-video", {}],
    [{ model: "kling-2.6/text-to-video", firstFrame: FIRST }, "kling-2.6/image-to-video", {
      image_urls: [FIRST],
    }],
    [
      { model: "kling/v2-5-turbo-pro", firstFrame: FIRST, lastFrame: LAST },
      "kling/v2-5-turbo-image-to-video-pro",
      { image_url: FIRST, tail_image_url: LAST },
    ],
    [{ model: "kling-3.0/video", firstFrame: FIRST, lastFrame: LAST }, "kling-3.0/video", {
      image_urls: [FIRST, LAST],
    }],
    [
      { model: "hailuo/02-pro", firstFrame: FIRST, lastFrame: LAST },
      "hailuo/02-image-to-video-pro",
      { image_url: FIRST, end_image_url: LAST },
    ],
    [
      { model: "minimax-h3", firstFrame: FIRST, lastFrame: LAST },
      "minimax-h3/image-to-video",
      { first_frame_url: FIRST, last_frame_url: LAST },
    ],
    [
      { model: "bytedance/seedance-2", firstFrame: FIRST, lastFrame: LAST },
      "bytedance/seedance-2",
      { first_frame_url: FIRST, last_frame_url: LAST },
    ],
    [{ model: "bytedance/seedance-1.5-pro", firstFrame: FIRST }, "bytedance/seedance-1.5-pro", {
      input_urls: [FIRST],
    }],
    [{ model: "pixverse-v6", firstFrame: FIRST }, "pixverse-v6/image-to-video", {
      image_urls: [FIRST],
    }],
    [
      { model: "pixverse-v6", firstFrame: FIRST, lastFrame: LAST },
      "pixverse-v6/transition",
      { first_frame_image_url: FIRST, last_frame_image_url: LAST },
    ],
    [{ model: "veo3_lite", firstFrame: FIRST, lastFrame: LAST }, "veo-3-1", {
      image_urls: [FIRST, LAST],
    }],
  ];
  for (const [more, model, frames] of ways) {
    const request = inputOf(more);
    const sent = Object.fromEntries(
      Object.entries(request.input).filter(([name]) => /image|frame|input_urls/.test(name)),
    );
    assertEquals([request.model, sent], [model, frames]);
  }
});

Deno.test("Veo's engine is in its input, and its shape follows a picture", () => {
  for (const engine of ["veo3_lite", "veo3_fast", "veo3"]) {
    const { model, input } = inputOf({ model: engine, durationSeconds: 8 });
    assertEquals([model, input["model"], input["generation_type"], input["aspect_ratio"]], [
      "veo-3-1",
      engine,
      "TEXT_2_VIDEO",
      "16:9",
    ]);
  }
  const { input } = inputOf({ model: "veo-3-1", firstFrame: FIRST });
  assertEquals([input["model"], input["generation_type"], input["aspect_ratio"]], [
    "veo3_fast",
    "FIRST_AND_LAST_FRAMES_2_VIDEO",
    "Auto",
  ]);
});

Deno.test("sound is off unless it is asked for, and the content check is on wherever there is one", () => {
  assertEquals(inputOf({ model: "bytedance/seedance-2" }).input["generate_audio"], false);
  assertEquals(
    inputOf({ model: "bytedance/seedance-2", audio: true }).input["generate_audio"],
    true,
  );
  assertEquals(inputOf({ model: "kling-3.0/video", audio: true }).input["sound"], true);
  for (const model of ["bytedance/seedance-2-5", "bytedance/v1-lite", "hailuo/02-standard"]) {
    assertEquals(inputOf({ model }).input["nsfw_checker"], true, model);
  }
});

Deno.test("no name stands for two models, and none is Sora", () => {
  const names = kieModels.flatMap(({ id, aliases }) => [id, ...aliases]);
  assertEquals(new Set(names).size, names.length);
  assertEquals(names.filter((name) => /sora/i.test(name)), []);
});
