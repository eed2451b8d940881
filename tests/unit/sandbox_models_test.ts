import { assert, assertEquals } from "@std/assert";
import { MODELS } from "../../local/sandbox/runware/models.ts";
import type { JsonObject } from "../../local/sandbox/runware/errors.ts";
import { type SandboxClient, withSandbox } from "../support/runware_sandbox.ts";

const IMAGE = "https://avatars.example.com/mia.png";
const UNSIZED = { width: undefined, height: undefined };
const FRAMES = { inputs: { frameImages: [{ image: IMAGE, frame: "first" }] }, ...UNSIZED };

/** The first error of a submit with `changes`; undefined when it was accepted. */
async function errorOf(client: SandboxClient, changes: JsonObject) {
  return (await client.submit(changes)).errors[0];
}

async function codeOf(client: SandboxClient, changes: JsonObject) {
  return (await errorOf(client, changes))?.["code"];
}

Deno.test("the models of the product are known under their true AIR ids", () => {
  const names = [
    "pixverse:1@3",
    "klingai:5@1",
    "klingai:5@2",
    "klingai:5@3",
    "bytedance:2@1",
    "bytedance:2@2",
    "google:3@2",
    "google:3@3",
  ].map((air) => MODELS.get(air)?.name);
  assertEquals(names, [
    "PixVerse 4.5",
    "Kling 2.1 Standard",
    "Kling 2.1 Pro",
    "Kling 2.1 Master",
    "Seedance 1.0 Pro",
    "Seedance 1.0 Pro Fast",
    "Veo 3.1",
    "Veo 3.1 Fast",
  ]);
});

Deno.test("false ids of third-party lists are not found", async () => {
  await withSandbox({}, async (client) => {
    for (const model of ["pixverse:4.5", "klingai:2.1@1", "pixverse:4@1", 7]) {
      assertEquals(await codeOf(client, { model }), "modelNotFound");
    }
    assertEquals(await codeOf(client, { model: undefined }), "missingModel");
    assertEquals(await codeOf(client, { model: "openai:3@1" }), "modelDisabled");
  });
});

Deno.test("a duration that a model does not have is refused with those it has", async () => {
  await withSandbox({}, async (client) => {
    const error = await errorOf(client, { duration: 6 });
    assertEquals(error?.["code"], "unsupportedDuration");
    assertEquals(error?.["allowedValues"], [5, 8]);
    assertEquals(await codeOf(client, { duration: "5" }), "unsupportedDuration");
    assertEquals(await codeOf(client, { duration: undefined }), undefined);
    const hailuo = { model: "minimax:3@1", duration: 10, width: 1920, height: 1080 };
    assertEquals((await errorOf(client, hailuo))?.["allowedValues"], [6]);
    const fast = { model: "bytedance:2@2", width: 864, height: 480 };
    assertEquals(await codeOf(client, { ...fast, duration: 3.7 }), undefined);
    const range = await errorOf(client, { ...fast, duration: 12.1 });
    assertEquals([range?.["min"], range?.["max"], range?.["multiplier"]], [1.2, 12, 0.1]);
    assertEquals(await codeOf(client, { ...fast, duration: 3.75 }), "unsupportedDuration");
  });
});

Deno.test("sizes come as a pair and from the list of the model", async () => {
  await withSandbox({}, async (client) => {
    const error = await errorOf(client, { width: 1000, height: 1000 });
    assertEquals(error?.["code"], "unsupportedDimensions");
    assertEquals(error?.["parameter"], ["width", "height"]);
    const allowed = error?.["allowedValues"];
    assert(Array.isArray(allowed) && allowed.includes("1280x720"));
    assertEquals(await codeOf(client, { width: undefined }), "missingWidth");
    assertEquals(await codeOf(client, { height: undefined }), "missingHeight");
    assertEquals(await codeOf(client, UNSIZED), "missingWidth");
    const wan = { model: "runware:201@1", width: 257, height: 512 };
    const limits = await errorOf(client, wan);
    assertEquals(limits?.["code"], "invalidWidth");
    assertEquals([limits?.["min"], limits?.["max"], limits?.["multiplier"]], [256, 1920, 8]);
  });
});

Deno.test("frames and size: one of them with PixVerse, Veo and Seedance, both with Kling 2.1", async () => {
  await withSandbox({}, async (client) => {
    const both = { ...FRAMES, width: 1280, height: 720 };
    for (const model of ["pixverse:1@3", "google:3@2", "bytedance:2@1"]) {
      const refused = await codeOf(client, { ...both, model, duration: undefined });
      assertEquals(refused, "incompatibleParameters");
      assertEquals(await codeOf(client, { ...FRAMES, model, duration: undefined }), undefined);
    }
    assertEquals(await codeOf(client, { ...both, model: "klingai:5@1" }), undefined);
    assertEquals(await codeOf(client, { ...FRAMES, model: "klingai:5@1" }), undefined);
    assertEquals(await codeOf(client, { ...both, model: "klingai:6@0" }), "unsupportedParameter");
  });
});

Deno.test("an image-to-video model needs a frame image", async () => {
  await withSandbox({}, async (client) => {
    for (const model of ["klingai:5@1", "klingai:5@2", "runway:1@1"]) {
      assertEquals(await codeOf(client, { model }), "missingFrameImages");
    }
    assertEquals(await codeOf(client, { ...FRAMES, model: "klingai:5@2" }), undefined);
  });
});

Deno.test("frame images are taken in both forms and checked", async () => {
  await withSandbox({}, async (client) => {
    const frames = (...frameImages: unknown[]) =>
      codeOf(client, { inputs: { frameImages }, ...UNSIZED });
    const old = { frameImages: [{ inputImage: IMAGE, frame: "last" }], ...UNSIZED };
    assertEquals(await codeOf(client, old), undefined);
    assertEquals(await frames(IMAGE, IMAGE), undefined);
    assertEquals(await frames(IMAGE, IMAGE, IMAGE), "arrayTooLarge");
    assertEquals(await frames(), "invalidFrameImages");
    assertEquals(await frames("not an image"), "invalidFrameImages");
    assertEquals(await frames({ image: IMAGE, frame: "middle" }), "invalidFrameImages");
    assertEquals(await frames(`data:image/png;base64,${"A".repeat(80)}`), undefined);
    assertEquals(await codeOf(client, { ...old, ...FRAMES }), "incompatibleParameters");
  });
});

Deno.test("prompts have a length, by model", async () => {
  await withSandbox({}, async (client) => {
    const error = await errorOf(client, { positivePrompt: "a".repeat(2049) });
    assertEquals(error?.["code"], "invalidPositivePromptLength");
    assertEquals([error?.["min"], error?.["max"]], [2, 2048]);
    assertEquals(await codeOf(client, { positivePrompt: "a".repeat(2048) }), undefined);
    assertEquals(await codeOf(client, { positivePrompt: undefined }), "missingPositivePrompt");
    assertEquals(await codeOf(client, { positivePrompt: 5 }), "invalidPositivePrompt");
    assertEquals(await codeOf(client, { negativePrompt: "" }), "invalidNegativePromptLength");
    const promptless = { ...FRAMES, model: "klingai:5@1", positivePrompt: undefined };
    assertEquals(await codeOf(client, promptless), undefined);
  });
});

Deno.test("parameters that a model does not have are named", async () => {
  await withSandbox({}, async (client) => {
    for (
      const [parameter, code] of [
        ["generateAudio", "unsupportedParameter"],
        ["steps", "unsupportedParameter"],
        ["CFGScale", "unsupportedParameter"],
        ["uploadEndpoint", "unsupportedParameter"],
        ["childName", "unknownParameter"],
      ] as const
    ) {
      const error = await errorOf(client, { [parameter]: 1 });
      assertEquals([error?.["code"], error?.["parameter"]], [code, parameter]);
    }
    const stranger = { providerSettings: { google: { generateAudio: true } } };
    assertEquals(await codeOf(client, stranger), "mismatchProviderSettingsProvider");
    const typo = { providerSettings: { pixverse: { stile: "clay" } } };
    assertEquals(await codeOf(client, typo), "unsupportedParameter");
  });
});

Deno.test("general options keep their limits", async () => {
  await withSandbox({}, async (client) => {
    for (
      const [changes, code] of [
        [{ deliveryMethod: "sync" }, "unsupportedDeliveryMethod"],
        [{ outputFormat: "GIF" }, "invalidOutputFormat"],
        [{ outputQuality: 100 }, "invalidOutputQuality"],
        [{ numberResults: 5 }, "invalidNumberResults"],
        [{ ttl: 59 }, "invalidTtl"],
        [{ webhookURL: "ftp://x" }, "invalidWebhookURL"],
        [{ includeCost: "yes" }, "invalidIncludeCost"],
        [{ seed: 0 }, "invalidSeed"],
        [{ fps: 30 }, "invalidFps"],
        [{ safety: { mode: "slow" } }, "invalidMode"],
      ] as const
    ) {
      assertEquals(await codeOf(client, changes), code);
    }
  });
});

Deno.test("prices follow model, size, duration and sound", async () => {
  await withSandbox({ knobs: { manual: true } }, async (client, { control }) => {
    for (
      const [changes, usd] of [
        [{ width: 1920, height: 1080 }, 0.299],
        [{ model: "klingai:5@1", ...FRAMES }, 0.185],
        [{ model: "klingai:5@3", width: 1920, height: 1080, duration: 10 }, 1.848],
        [{ model: "bytedance:2@1", width: 1920, height: 1088 }, 0.484],
        [{ model: "google:3@3", duration: 8 }, 0.8],
        [
          {
            model: "google:3@3",
            duration: 8,
            providerSettings: { google: { generateAudio: true } },
          },
          1.2,
        ],
        [{ model: "pixverse:1@5-fast", width: 640, height: 360, duration: 8 }, 0.1856],
        [{ numberResults: 2, width: 1920, height: 1080 }, 0.598],
      ] as const
    ) {
      const { taskUUID } = await client.submit(changes);
      assertEquals(control.finish(taskUUID).cost, usd);
    }
  });
});

Deno.test("every model accepts its first size with its default duration", async () => {
  await withSandbox({}, async (client) => {
    for (const model of MODELS.values()) {
      if (model.ended) continue;
      const tiers = typeof model.sizes === "string" ? {} : model.sizes;
      const [size] = Object.values(tiers).flat();
      const [width, height] = size?.split("x").map(Number) ??
        (model.sizes === "none" ? [] : [1280, 720]);
      const changes = model.fromText ? { width, height } : FRAMES;
      const error = await errorOf(client, { model: model.air, duration: undefined, ...changes });
      assertEquals(error, undefined, model.air);
    }
  });
});
