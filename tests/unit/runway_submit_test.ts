import { assertEquals, assertThrows } from "@std/assert";
import { createRunwayProvider } from "../../shared/providers/runway/adapter.ts";
import { toRunwayRequest } from "../../shared/providers/runway/requests.ts";
import { FAR_TOO_MUCH, standing } from "../support/runware_support.ts";
import type { Recorded } from "../support/recorded.ts";
import { JOB, RUNWAY_KEY, runwayTask, TASK, withRunway } from "../support/runway_support.ts";

const PICTURE = "https://project.example/avatars/mia.png";
const said = (error: string, more: Record<string, unknown> = {}) => ({ error, ...more });

/** Answers to a create, and what they mean. Only a plain refusal says that nothing was bought. */
const answers: readonly (readonly [name: string, answer: Recorded, expected: string])[] = [
  ["an id", { body: { id: TASK, estimatedCost: { credits: 60 } } }, "accepted"],
  ["an id alone", { status: 201, body: { id: TASK } }, "accepted"],
  ["no id", { body: {} }, "unknown server unreadable"],
  ["an id that is none", { body: { id: 7 } }, "unknown server unreadable"],
  ["nothing", { status: 204 }, "unknown server unreadable"],
  ["a page", { body: "<html>" }, "unknown server unreadable"],
  ["a redirect", { status: 307, headers: { location: "/v2" } }, "unknown server http_307"],
  [
    "bad input",
    { status: 400, body: said("Validation of body failed") },
    "refused validation http_400",
  ],
  [
    "an empty account",
    { status: 400, body: said("You do not have enough credits to run this task.") },
    "refused balance insufficient_credits",
  ],
  ["402", { status: 402 }, "refused balance insufficient_credits"],
  [
    "moderation at the door",
    { status: 400, body: said("Blocked by content moderation") },
    "refused safety http_400",
  ],
  ["a wrong key", { status: 401, body: said("The API key is not valid") }, "refused auth http_401"],
  ["a key without rights", { status: 403 }, "refused auth http_403"],
  [
    "an unknown model or path",
    { status: 404, body: said("Not found") },
    "refused model_off http_404",
  ],
  ["an edge's 404", { status: 404, body: "<h1>nginx</h1>" }, "unknown server http_404"],
  ["404 and nothing", { status: 404 }, "unknown server http_404"],
  ["a wrong method", { status: 405 }, "refused validation http_405"],
  ["too many", { status: 429, body: said("Too many requests") }, "refused rate http_429"],
  ["a conflict", { status: 409 }, "unknown server http_409"],
  ["a timeout", { status: 408 }, "unknown server http_408"],
  ["trouble", { status: 500 }, "unknown server http_500"],
  ["load shed", { status: 502 }, "unknown server http_502"],
  ["load shed otherwise", { status: 503, body: "busy" }, "unknown server http_503"],
  ["overload", { status: 504 }, "unknown server http_504"],
];

for (const [name, answer, expected] of answers) {
  Deno.test(`a create that Runway answers by ${name} is ${expected}, after one call`, () =>
    withRunway(answer, async (provider, received) => {
      const outcomes = await provider.submit([runwayTask()]);
      assertEquals(outcomes.map((one) => [one.id, standing(one)]), [[JOB, expected]]);
      assertEquals(received.length, 1);
    }));
}

Deno.test("a create carries the key, the version and the body that Runway documents", () =>
  withRunway({ body: { id: TASK } }, async (provider, received) => {
    await provider.submit([runwayTask({ firstFrame: PICTURE, seed: 7 })]);
    const [call] = received;
    assertEquals([call?.method, call?.url.pathname], ["POST", "/v1/image_to_video"]);
    assertEquals(call?.headers.get("authorization"), `Bearer ${RUNWAY_KEY}`);
    assertEquals(call?.headers.get("x-runway-version"), "2024-11-06");
    assertEquals(call?.headers.get("content-type"), "application/json");
    assertEquals(call?.body, {
      model: "gen4.5",
      promptText: "A duck walks into a pond.",
      promptImage: PICTURE,
      ratio: "1280:720",
      duration: 5,
      seed: 7,
    });
  }));

Deno.test("words alone, one picture and two pictures go where each belongs", () => {
  const words = toRunwayRequest(runwayTask());
  assertEquals([words.path, words.body.promptImage], ["/v1/text_to_video", undefined]);
  const veo = runwayTask({
    model: "veo-3.1",
    durationSeconds: 8,
    negativePrompt: "violence",
    firstFrame: PICTURE,
    lastFrame: `${PICTURE}?last`,
  });
  const { path, body } = toRunwayRequest(veo);
  assertEquals(path, "/v1/image_to_video");
  assertEquals([body.model, body.negativePrompt, body.audio], ["veo3.1", "violence", false]);
  assertEquals(body.promptImage, [
    { uri: PICTURE, position: "first" },
    { uri: `${PICTURE}?last`, position: "last" },
  ]);
});

Deno.test("what a model does not take is left out, and a size is always said", () => {
  const { body } = toRunwayRequest({
    id: JOB,
    model: "gen4_turbo",
    prompt: "A duck.",
    negativePrompt: "violence",
    durationSeconds: 5,
    fps: 24,
    firstFrame: PICTURE,
  });
  assertEquals(Object.keys(body).sort(), [
    "duration",
    "model",
    "promptImage",
    "promptText",
    "ratio",
  ]);
  assertEquals(body.ratio, "1280:720");
});

Deno.test("a refusal names the field, and how long to wait", () => {
  const issues = [{ code: "invalid_value", path: ["duration"], message: "Too big", values: [5] }];
  return withRunway({
    status: 400,
    headers: { "retry-after": "7" },
    body: said("Validation of body failed", { issues }),
  }, async (provider) => {
    const [outcome] = await provider.submit([runwayTask()]);
    const error = outcome && "error" in outcome ? outcome.error : undefined;
    assertEquals(
      [error?.parameter, error?.allowedValues, error?.retryAfterSeconds, error?.message],
      ["duration", [5], 7, "Validation of body failed: Too big"],
    );
  });
});

Deno.test("F25 an answer that quotes our key back does not carry it any further", () =>
  withRunway({ status: 401, body: said(`Bad key ${RUNWAY_KEY}`) }, async (provider) => {
    const told = JSON.stringify(await provider.submit([runwayTask()]));
    assertEquals(told.includes(RUNWAY_KEY), false);
    assertEquals(told.includes("Bad key [redacted]"), true);
  }));

Deno.test("one of many that is refused leaves the others alone, in order", () =>
  withRunway(
    ({ body }) =>
      JSON.stringify(body).includes("bad")
        ? { status: 400, body: said("Validation of body failed") }
        : { body: { id: crypto.randomUUID() } },
    async (provider, received) => {
      const tasks = ["good", "bad", "fine"].map((prompt) => runwayTask({ id: prompt, prompt }));
      assertEquals((await provider.submit(tasks)).map((one) => [one.id, standing(one)]), [
        ["good", "accepted"],
        ["bad", "refused validation http_400"],
        ["fine", "accepted"],
      ]);
      assertEquals(received.length, 3);
    },
  ));

Deno.test("an answer that never comes ends at our own deadline, and nobody knows what was bought", async () => {
  const { promise, resolve } = Promise.withResolvers<Recorded>();
  await withRunway(() => promise, async (provider, received) => {
    const outcomes = await provider.submit([runwayTask()]);
    assertEquals(outcomes.map(standing), ["unknown server deadline"]);
    assertEquals(received.length, 1);
    resolve({});
  }, { timeoutMs: 100 });
});

Deno.test("an answer that is too long counts as unreadable, however good its beginning", () =>
  withRunway({ body: JSON.stringify({ id: TASK }) + FAR_TOO_MUCH }, async (provider) => {
    assertEquals((await provider.submit([runwayTask()])).map(standing), [
      "unknown server unreadable",
    ]);
  }));

Deno.test("tasks that there is no time for are not handed over", () =>
  withRunway({ body: { id: TASK } }, async (provider, received) => {
    let left = 1;
    const tasks = ["first", "second"].map((id) => runwayTask({ id }));
    const outcomes = await provider.submit(tasks, { hasTime: () => left-- > 0 });
    assertEquals(outcomes.map((one) => [one.id, standing(one)]), [
      ["first", "accepted"],
      ["second", "refused server lease_over"],
    ]);
    assertEquals(received.length, 1);
  }));

Deno.test("an impossible key or address is refused at start, and the key is not quoted", () => {
  const error = assertThrows(() => createRunwayProvider({ apiKey: "two words" }), TypeError);
  assertEquals(String(error).includes("two words"), false);
  assertThrows(() => createRunwayProvider({ apiKey: RUNWAY_KEY, url: "nowhere" }), TypeError);
});
