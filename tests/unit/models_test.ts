import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Allowed, checkRequest } from "../../shared/domain/model_limits.ts";
import {
  allows,
  estimateUsd,
  findModel,
  type ModelSpec,
  type VideoRequest,
} from "../../shared/domain/models.ts";
import { runwareModels } from "../../shared/providers/runware/models.ts";

function model(name: string): ModelSpec {
  const spec = findModel(runwareModels, name);
  if (spec === undefined) throw new Error(`No model "${name}"`);
  return spec;
}

function request(more: Partial<VideoRequest> = {}): VideoRequest {
  return { prompt: "A duck in a pond", durationSeconds: 8, width: 1920, height: 1080, ...more };
}

function problems(name: string, more: Partial<VideoRequest> = {}) {
  return checkRequest(model(name), request(more)).map(({ field, allowed }) => [field, allowed]);
}

Deno.test("a rhyme video of 8 seconds in 1920x1080 with an avatar can be made by PixVerse", () => {
  const avatar = { firstFrame: "https://x.example/a.png", negativePrompt: "blood" };
  assertEquals(problems("pixverse:4.5", avatar), []);
  assertEquals(problems("pixverse:1@5"), []);
});

const refusals: readonly (readonly [
  says: string,
  model: string,
  more: Partial<VideoRequest>,
  field: string,
  allowed: Allowed,
])[] = [
  ["a length it does not make", "pixverse:4.5", { durationSeconds: 7 }, "durationSeconds", [5, 8]],
  [
    "a length off its steps",
    "seedance:1.0-pro-fast",
    { durationSeconds: 1.25, width: 864, height: 480 },
    "durationSeconds",
    [{ min: 1.2, max: 12, step: 0.1 }],
  ],
  [
    "a length its quality does not make",
    "pixverse:5.5",
    { durationSeconds: 10 },
    "durationSeconds",
    [5, 8],
  ],
  ["a length its quality does not make", "hailuo-02", { durationSeconds: 10 }, "durationSeconds", [
    6,
  ]],
  [
    "a size it does not make",
    "hailuo-02",
    { durationSeconds: 6, width: 1280, height: 720 },
    "size",
    ["1366x768", "1920x1080"],
  ],
  ["frames per second it does not make", "pixverse:4.5", { fps: 30 }, "fps", [16, 24]],
  ["a prompt that is too long", "pixverse:4.5", { prompt: "x".repeat(2_049) }, "prompt", [
    { min: 2, max: 2_048 },
  ]],
  ["a prompt that is too short", "pixverse:4.5", { prompt: " x " }, "prompt", [{
    min: 2,
    max: 2_048,
  }]],
  [
    "a negative prompt that is too short",
    "pixverse:4.5",
    { negativePrompt: "" },
    "negativePrompt",
    [{ min: 2, max: 2_048 }],
  ],
  [
    "a negative prompt it does not take",
    "veo-3.1",
    { negativePrompt: "blood" },
    "negativePrompt",
    [],
  ],
  [
    "words alone where it needs a picture",
    "kling:2.1",
    { durationSeconds: 5, width: 1280, height: 720 },
    "firstFrame",
    ["https URL of a picture"],
  ],
  [
    "a last frame it does not take",
    "pixverse:5-fast",
    { firstFrame: "https://x.example/a.png", lastFrame: "https://x.example/b.png" },
    "lastFrame",
    [],
  ],
  ["a last frame alone", "pixverse:4.5", { lastFrame: "https://x.example/b.png" }, "lastFrame", []],
  ["a seed that is none", "pixverse:4.5", { seed: 0 }, "seed", [{ min: 1, max: 2_147_483_647 }]],
  ["too large a seed", "pixverse:4.5", { seed: 2 ** 31 }, "seed", [{ min: 1, max: 2_147_483_647 }]],
];

for (const [says, name, more, field, allowed] of refusals) {
  Deno.test(`${name} refuses ${says}, by field and with what would do`, () => {
    assertEquals(problems(name, more), [[field, allowed]]);
  });
}

Deno.test("a model that is gone is refused by name", () => {
  assertEquals(problems("bytedance:1@1", { durationSeconds: 5, width: 864, height: 480 }), [
    ["model", []],
  ]);
});

Deno.test("half a size is refused, none only where one is needed", () => {
  const { height: _height, ...half } = request();
  const { width: _width, ...none } = half;
  const fields = (name: string, asked: VideoRequest) =>
    checkRequest(model(name), asked).map(({ field }) => field);
  assertEquals(fields("pixverse:4.5", half), ["size"]);
  assertEquals(fields("pixverse:4.5", none), ["size"]);
  assertEquals(fields("pixverse:4.5", { ...none, firstFrame: "https://x.example/a.png" }), []);
  assertEquals(fields("kling:2.1-master", { ...none, durationSeconds: 5 }), []);
});

Deno.test("a refusal quotes what was asked for", () => {
  const [problem] = checkRequest(model("pixverse:4.5"), request({ durationSeconds: 7 }));
  assertEquals(problem?.message, "PixVerse 4.5 makes 5 or 8 seconds, not 7");
});

Deno.test("every tenth of a second that Seedance Pro Fast makes is allowed, whatever doubles do", () => {
  const { durations } = model("seedance:1.0-pro-fast");
  for (let tenth = 12; tenth <= 120; tenth += 1) assertEquals(allows(durations, tenth / 10), true);
  for (const seconds of [1.1, 12.1, Number.NaN, Number.POSITIVE_INFINITY]) {
    assertEquals(allows(durations, seconds), false);
  }
});

Deno.test("a video's cost is estimated where figures are known, and null where they are not", () => {
  const usd = (name: string, more: Partial<VideoRequest> = {}) =>
    estimateUsd(model(name), request(more));
  assertEquals(usd("pixverse:4.5"), 0.4784);
  assertEquals(usd("pixverse:4.5", { durationSeconds: 5 }), 0.299);
  assertEquals(usd("pixverse:4.5", { width: 1280, height: 720 }), null);
  assertEquals(usd("pixverse:5-fast", { width: 1280, height: 720 }), 0.2475);
  assertEquals(usd("veo-3.1-fast"), 0.8);
  assertEquals(usd("veo-3.1"), null);
  assertEquals(usd("pixverse:4.5", { width: 1, height: 1 }), null);
});

Deno.test("without a size a cost is known only where every quality costs the same", () => {
  const { width: _width, height: _height, ...none } = request({ durationSeconds: 5 });
  assertEquals(estimateUsd(model("kling:2.1"), none), 0.185);
  assertEquals(estimateUsd(model("pixverse:5-fast"), none), null);
  assertEquals(estimateUsd(model("klingai:6@0"), none), null);
});

Deno.test("no two models answer to one name, and an id always means itself", () => {
  const names = runwareModels.flatMap(({ id, aliases }) => [id, ...aliases]);
  assertEquals(names.length, new Set(names).size);
  for (const spec of runwareModels) assertEquals(findModel(runwareModels, spec.id), spec);
});

Deno.test("every line of the table holds together", () => {
  for (const spec of runwareModels) {
    const sizes = spec.tiers.flatMap((tier) => tier.sizes);
    const written = sizes.map(({ width, height }) => `${width}x${height}`);
    assertEquals([spec.id, written.length], [spec.id, new Set(written).size]);
    for (const { width, height } of sizes) {
      assertEquals([spec.id, width % 2, height % 2, width > 0, height > 0], [
        spec.id,
        0,
        0,
        true,
        true,
      ]);
    }
    assertEquals([spec.id, spec.renderSeconds > 0, spec.promptMax > 0], [spec.id, true, true]);
    for (const tier of spec.tiers) {
      const priced = tier.price !== undefined && "bySeconds" in tier.price
        ? Object.keys(tier.price.bySeconds).map(Number)
        : [];
      for (const seconds of priced) {
        const made = allows(tier.durations ?? spec.durations, seconds);
        assertEquals([spec.id, tier.name, seconds, made], [spec.id, tier.name, seconds, true]);
      }
    }
  }
});

Deno.test("any request gets an answer from any model, and a field is blamed once", () => {
  const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
  const asked = fc.record({
    prompt: fc.string({ maxLength: 3_100 }),
    negativePrompt: optional(fc.string()),
    durationSeconds: fc.oneof(fc.double(), fc.integer({ min: 0, max: 12 })),
    width: optional(fc.integer()),
    height: optional(fc.integer()),
    fps: optional(fc.integer()),
    seed: optional(fc.double()),
    firstFrame: optional(fc.webUrl()),
    lastFrame: optional(fc.webUrl()),
  });
  fc.assert(fc.property(asked, fc.constantFrom(...runwareModels), (values, spec) => {
    const given = Object.fromEntries(
      Object.entries(values).filter(([, value]) => value !== undefined),
    );
    const { prompt, durationSeconds } = values;
    const fields = checkRequest(spec, { ...given, prompt, durationSeconds }).map(({ field }) =>
      field
    );
    assertEquals(fields.length, new Set(fields).size);
    const usd = estimateUsd(spec, { ...given, prompt, durationSeconds });
    assertEquals(usd === null || usd >= 0 || fields.includes("durationSeconds"), true);
  }));
});
