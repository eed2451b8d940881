import { assert, assertEquals } from "@std/assert";
import type { Rhyme, RhymeOptions } from "../../shared/domain/rhyme_offer.ts";
import { planRhymeVideo } from "../../shared/domain/rhyme_video.ts";
import { modelsOf } from "../../shared/providers/registry.ts";

const models = await modelsOf("runware");
const rhyme: Rhyme = {
  title: "Twinkle",
  promptTemplate: "{child} waves at a star. {style}",
  style: "Watercolour",
  model: "pixverse:1@5",
  durationSeconds: 8,
  width: 1920,
  height: 1080,
};
const plan = (options: RhymeOptions, avatarUrl?: string) =>
  planRhymeVideo(rhyme, options, { childName: "Mia", avatarUrl }, models);
const fieldsOf = (options: RhymeOptions) => {
  const planned = plan(options);
  return "problems" in planned ? planned.problems.map((problem) => problem.field) : [];
};

Deno.test("without wishes the rhyme decides: its model, length and size, the child in the prompt", () => {
  const planned = plan({});
  assert("request" in planned);
  if (!("request" in planned)) return;
  assertEquals(planned.spec.id, "pixverse:1@5");
  const { prompt, durationSeconds, width, height, firstFrame } = planned.request;
  assertEquals([durationSeconds, width, height, firstFrame], [8, 1920, 1080, undefined]);
  assert(prompt.includes("Mia waves at a star"));
});

Deno.test("an avatar becomes the first frame", () => {
  const planned = plan({}, "https://avatars.example.com/mia.png");
  assert("request" in planned && planned.request.firstFrame !== undefined);
});

Deno.test("what the model cannot do names the field, in the request's words, and what would do", () => {
  assertEquals(fieldsOf({ duration: 7 }), ["duration"]);
  assertEquals(fieldsOf({ fps: 1 }), ["fps"]);
  assertEquals(fieldsOf({ width: 123, height: 45 }), ["width", "height"]);
  assertEquals(fieldsOf({ width: 1920 }), ["height"]);
  const planned = plan({ duration: 7 });
  assertEquals("problems" in planned && planned.problems[0]?.allowed, [5, 8]);
});

Deno.test("a size is refused where the child's picture decides it", () => {
  const size = { width: 1280, height: 720 };
  const planned = plan(size, "https://avatars.example.com/mia.png");
  const problems = "problems" in planned ? planned.problems : [];
  assertEquals(problems.map(({ field, allowed }) => [field, allowed]), [["width", []], [
    "height",
    [],
  ]]);
});

Deno.test("a model that has neither the rhyme's length nor its size is named, and not what nobody sent", () => {
  for (const model of ["bytedance:2@1", "klingai:4@3"]) {
    const planned = plan({ model });
    const [problem, ...more] = "problems" in planned ? planned.problems : [];
    assertEquals([problem?.field, more], ["model", []], model);
    for (const allowed of problem?.allowed ?? []) {
      assertEquals(fieldsOf({ model: String(allowed) }), []);
    }
  }
});

Deno.test("an unknown model is refused with the ones there are", () => {
  const planned = plan({ model: "sora:9" });
  assert("problems" in planned && planned.problems[0]?.allowed?.includes("pixverse:1@5"));
});

Deno.test("F28 a wish may make the video cheaper for us, never dearer than the rhyme's price covers", () => {
  assertEquals(fieldsOf({ duration: 5 }), []);
  assertEquals(fieldsOf({ model: "bytedance:2@2", duration: 5, width: 864, height: 480 }), []);
  assertEquals(fieldsOf({ model: "google:3@3" }), ["model"]);
});

Deno.test("a size whose cost nobody knows is not sold, and only those that are sold are offered", () => {
  const sold = [
    { field: "width", allowed: [1920, 1440, 1080, 1080, 1080] },
    { field: "height", allowed: [1080, 1080, 1080, 1440, 1920] },
  ];
  const told = (options: RhymeOptions) => {
    const planned = plan(options);
    const problems = "problems" in planned ? planned.problems : [];
    return problems.map(({ field, allowed }) => ({ field, allowed }));
  };
  assertEquals(told({ width: 1280, height: 720 }), sold);
  assertEquals(told({ width: 123, height: 45 }), sold);
  assertEquals(told({ width: 1280 }), sold);
  assertEquals(told({ width: 1080 }), [{ field: "height", allowed: [1080, 1440, 1920] }]);
  const planned = plan({ width: 1280, height: 720 });
  assertEquals(
    "problems" in planned && planned.problems[0]?.message,
    'PixVerse 5 is sold for this rhyme at "1920x1080", "1440x1080", "1080x1080", "1080x1440" or ' +
      '"1080x1920", not at "1280x720"',
  );
});

Deno.test("each size, length and model that a refusal offers can be ordered", () => {
  const offered = (options: RhymeOptions, field: string) => {
    const planned = plan(options);
    const problems = "problems" in planned ? planned.problems : [];
    return problems.find((problem) => problem.field === field)?.allowed ?? [];
  };
  const wrong = { width: 1280, height: 720, duration: 7 };
  const [widths, heights] = [offered(wrong, "width"), offered(wrong, "height")];
  assertEquals(widths.length, heights.length);
  for (const duration of offered(wrong, "duration")) {
    for (const [at, width] of widths.entries()) {
      const options = { duration: Number(duration), width: Number(width) };
      assertEquals(fieldsOf({ ...options, height: Number(heights[at]) }), []);
    }
  }
  const names = offered({ model: "pixverse:1@5-fast" }, "model");
  assert(names.includes("pixverse:1@5"), names.join());
  for (const model of names) assertEquals(fieldsOf({ model: String(model) }), []);
});

Deno.test("a length that only the other wish makes dear is told with those that are covered", () => {
  const short = { ...rhyme, durationSeconds: 5 };
  const told = (options: RhymeOptions) => {
    const planned = planRhymeVideo(short, options, { childName: "Mia" }, models);
    return "problems" in planned
      ? planned.problems.map(({ field, allowed }) => [field, allowed])
      : [];
  };
  assertEquals(told({ duration: 8 }), [["duration", [5]]]);
  assertEquals(told({ duration: 8, width: 1080, height: 1920 }), [["duration", [5]]]);
});
