import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { TaskState } from "../../shared/providers/provider.ts";
import { polledState } from "../../shared/providers/runware/answers.ts";
import { readEnvelope } from "../../shared/providers/runware/schemas.ts";
import {
  ID_A,
  ID_B,
  ID_C,
  type Received,
  type Recorded,
  withStandIn,
} from "../support/runware_support.ts";

const URL_A = "https://vm.runware.ai/video/ws/2/vi/aaaa.mp4";

function brief(state: TaskState): string {
  switch (state.state) {
    case "processing":
      return state.progress === undefined ? "processing" : `processing ${state.progress}`;
    case "succeeded":
      return `succeeded ${state.videoUrl} ${state.costUsd ?? "?"}`;
    default:
      return `${state.state} ${state.error.kind} ${state.error.code}`;
  }
}

function item(id: string, more: Record<string, unknown> = {}) {
  return { taskType: "videoInference", taskUUID: id, ...more };
}

function error(code: string, more: Record<string, unknown> = {}) {
  return { code, message: `Told: ${code}`, ...more };
}

/** Answers to a call that asks about one task, A. */
const forms: readonly (readonly [name: string, answer: Recorded, expected: string])[] = [
  ["a working item", { body: { data: [item(ID_A, { status: "processing" })] } }, "processing"],
  [
    "a working item with progress",
    { body: { data: [item(ID_A, { status: "processing", progress: 42 })] } },
    "processing 42",
  ],
  [
    "a working item typed getResponse",
    { body: { data: [{ taskType: "getResponse", taskUUID: ID_A, status: "processing" }] } },
    "processing",
  ],
  [
    "a finished item",
    {
      body: {
        data: [
          item(ID_A, { status: "success", videoUUID: "v", videoURL: URL_A, cost: 0.299, seed: 1 }),
        ],
      },
    },
    `succeeded ${URL_A} 0.299`,
  ],
  [
    "a finished item without status",
    { body: { data: [item(ID_A, { videoUUID: "v", videoURL: URL_A })] } },
    `succeeded ${URL_A} ?`,
  ],
  [
    "a finished item with mediaURL and a cost in words",
    { body: { data: [item(ID_A, { status: "success", mediaURL: URL_A, cost: "0.12" })] } },
    `succeeded ${URL_A} 0.12`,
  ],
  [
    "a finished item that Runware's own check flagged",
    { body: { data: [item(ID_A, { videoURL: URL_A, cost: 0.3, NSFWContent: true })] } },
    "failed safety NSFWContent",
  ],
  [
    "a finished item flagged in words",
    { body: { data: [item(ID_A, { videoURL: URL_A, NSFWContent: "true" })] } },
    "failed safety NSFWContent",
  ],
  [
    "a finished item that was looked at and is fit",
    { body: { data: [item(ID_A, { videoURL: URL_A, cost: 0.3, NSFWContent: false })] } },
    `succeeded ${URL_A} 0.3`,
  ],
  [
    "an API in trouble that names the task",
    {
      status: 500,
      body: {
        errors: [error("internalServerError", { taskUUID: ID_A, taskType: "getResponse" })],
      },
    },
    "unanswered server internalServerError",
  ],
  [
    "a service that is away and names the task",
    { status: 503, body: { errors: [error("serviceUnavailable", { taskUUID: ID_A })] } },
    "unanswered server serviceUnavailable",
  ],
  [
    "a question that it would not take",
    {
      status: 400,
      body: { errors: [error("invalidTaskUUID", { taskUUID: ID_A, taskType: "getResponse" })] },
    },
    "unanswered validation invalidTaskUUID",
  ],
  [
    "a render that failed for its input",
    {
      status: 400,
      body: { errors: [error("invalidImage", { taskUUID: ID_A, taskType: "videoInference" })] },
    },
    "failed validation invalidImage",
  ],
  [
    "a render that failed on a server of theirs, told in a good answer",
    { body: { errors: [error("internalServerError", { taskUUID: ID_A })] } },
    "failed server internalServerError",
  ],
  [
    "two results, one still working",
    {
      body: {
        data: [item(ID_A, { videoURL: URL_A, cost: 1 }), item(ID_A, { status: "processing" })],
      },
    },
    "processing",
  ],
  [
    "two results, both finished",
    {
      body: {
        data: [item(ID_A, { videoURL: URL_A, cost: 1 }), item(ID_A, { videoURL: URL_A, cost: 2 })],
      },
    },
    `succeeded ${URL_A} 3`,
  ],
  [
    "two results, one finished and one failed",
    {
      body: {
        data: [item(ID_A, { videoURL: URL_A, cost: 1 })],
        errors: [error("providerError", { taskUUID: ID_A })],
      },
    },
    `succeeded ${URL_A} 1`,
  ],
  [
    "a failure among the errors",
    { body: { data: [], errors: [error("timeoutProvider", { taskUUID: ID_A, status: "error" })] } },
    "failed timeout timeoutProvider",
  ],
  [
    "a failure without data",
    { body: { errors: [error("providerError", { taskUUID: ID_A })] } },
    "failed provider providerError",
  ],
  [
    "a failed item, error inside",
    { body: { data: [item(ID_A, { status: "error", error: error("inferenceError") })] } },
    "failed provider inferenceError",
  ],
  [
    "a failed item, code on it",
    { body: { data: [item(ID_A, { status: "error", ...error("processingFailed") })] } },
    "failed provider processingFailed",
  ],
  [
    "a failed item that says nothing more",
    { body: { data: [item(ID_A, { status: "error" })] } },
    "failed unknown unreadable",
  ],
  [
    "a failure told with status 400",
    { status: 400, body: { errors: [error("invalidProviderContent", { taskUUID: ID_A })] } },
    "failed safety invalidProviderContent",
  ],
  [
    "a failure told with status 500",
    { status: 500, body: { errors: [error("providerError", { taskUUID: ID_A })] } },
    "failed provider providerError",
  ],
  [
    "moderation hidden in the engine's words",
    {
      body: {
        errors: [error("providerError", {
          taskUUID: ID_A,
          responseContent: { detail: "Blocked by content moderation" },
        })],
      },
    },
    "failed safety providerError",
  ],
  [
    "a bare error with our id",
    { status: 400, body: { error: error("providerError"), taskUUID: ID_A } },
    "failed provider providerError",
  ],
  [
    "a task it does not know",
    { status: 404, body: { errors: [error("taskNotFound", { taskUUID: ID_A })] } },
    "missing not_found taskNotFound",
  ],
  [
    "a task it has forgotten",
    { body: { errors: [error("taskExpired", { taskUUID: ID_A })] } },
    "missing not_found taskExpired",
  ],
  [
    "a task that was cancelled there",
    { body: { errors: [error("taskCancelled", { taskUUID: ID_A })] } },
    "failed not_found taskCancelled",
  ],
  ["nothing about it", { body: { data: [] } }, "unanswered server unreadable"],
  [
    "only another task",
    { body: { data: [item(ID_B, { videoURL: URL_A })] } },
    "unanswered server unreadable",
  ],
  [
    "an unknown status",
    { body: { data: [item(ID_A, { status: "pondering" })] } },
    "unanswered server unreadable",
  ],
  [
    "a success without a file",
    { body: { data: [item(ID_A, { status: "success" })] } },
    "unanswered server result_unreadable",
  ],
  [
    "a success with something that is no URL",
    { body: { data: [item(ID_A, { status: "success", videoURL: "file:///etc/passwd" })] } },
    "unanswered server result_unreadable",
  ],
  [
    "a refused key, though it names our task",
    { status: 401, body: { errors: [error("invalidApiKey", { taskUUID: ID_A })] } },
    "unanswered auth invalidApiKey",
  ],
  [
    "too many polls, though it names our task",
    { status: 429, body: { errors: [error("rateLimitExceeded", { taskUUID: ID_A })] } },
    "unanswered rate rateLimitExceeded",
  ],
  [
    "the engine's own rate limit",
    { body: { errors: [error("providerRateLimitExceeded", { taskUUID: ID_A })] } },
    "failed rate providerRateLimitExceeded",
  ],
  [
    "an error about the whole call",
    { status: 503, body: { errors: [error("serviceUnavailable")] } },
    "unanswered server serviceUnavailable",
  ],
  ["a bare 429", { status: 429, body: "" }, "unanswered rate http_429"],
  ["a bare 500", { status: 500, body: "oops" }, "unanswered server http_500"],
  ["no JSON", { body: "<html>" }, "unanswered server unreadable"],
];

for (const [name, answer, expected] of forms) {
  Deno.test(`F19 a task asked about and answered by ${name} is ${expected}`, () =>
    withStandIn(answer, async ({ provider }) => {
      const states = await provider.poll([ID_A]);
      assertEquals(states.map((one) => [one.id, brief(one)]), [[ID_A, expected]]);
    }));
}

Deno.test("F26 many tasks are asked about in one call, each gets its own state, order is ours", () =>
  withStandIn({
    body: {
      data: [item(ID_C, { status: "processing" }), item(ID_A, { videoURL: URL_A, cost: 0.5 })],
      errors: [error("providerError", { taskUUID: ID_B })],
    },
  }, async ({ provider, received }) => {
    const states = await provider.poll([ID_A, ID_B, ID_C, ID_A]);
    assertEquals(states.map((one) => [one.id, brief(one)]), [
      [ID_A, `succeeded ${URL_A} 0.5`],
      [ID_B, "failed provider providerError"],
      [ID_C, "processing"],
      [ID_A, `succeeded ${URL_A} 0.5`],
    ]);
    assertEquals(received.map(({ tasks }) => tasks), [
      [ID_A, ID_B, ID_C].map((taskUUID) => ({ taskType: "getResponse", taskUUID })),
    ]);
  }));

Deno.test("an error that names nobody leaves those without an answer as they are", () =>
  withStandIn({
    status: 503,
    body: { data: [item(ID_A, { videoURL: URL_A })], errors: [error("serviceUnavailable")] },
  }, async ({ provider, received }) => {
    const states = await provider.poll([ID_A, ID_B]);
    assertEquals(states.map(brief), [
      `succeeded ${URL_A} ?`,
      "unanswered server serviceUnavailable",
    ]);
    assertEquals(received.length, 1);
  }));

Deno.test("one id that spoils the whole call does not keep the others from being answered", () =>
  withStandIn(
    ({ tasks }) => {
      const ids = tasks.map((task) => String(task["taskUUID"]));
      if (ids.includes(ID_C)) return { status: 400, body: { errors: [error("invalidTaskUUID")] } };
      return { body: { data: ids.map((id) => item(id, { status: "processing" })) } };
    },
    async ({ provider }) => {
      assertEquals((await provider.poll([ID_A, ID_B, ID_C])).map(brief), [
        "processing",
        "processing",
        "unanswered validation invalidTaskUUID",
      ]);
    },
  ));

/** Answers with a code that is new where a bad id is among those asked about, else with "processing". */
const flummoxedBy = (isBad: (id: string) => boolean) => ({ tasks }: Received): Recorded => {
  const ids = tasks.map((task) => String(task["taskUUID"]));
  if (ids.some(isBad)) return { status: 400, body: { errors: [error("flummoxed")] } };
  return { body: { data: ids.map((id) => item(id, { status: "processing" })) } };
};

const hundred = Array.from({ length: 100 }, () => crypto.randomUUID());

for (const place of [0, 37, 99]) {
  Deno.test(`one bad id among a hundred is found by a code that is new, too, at place ${place}`, () =>
    withStandIn(flummoxedBy((id) => id === hundred[place]), async ({ provider }) => {
      const states = await provider.poll(hundred);
      assertEquals(states.map(({ id }) => id), hundred);
      assertEquals(
        states.filter(({ state }) => state !== "processing").map(({ id }) => id),
        [hundred[place]],
      );
    }));
}

Deno.test("where every id is bad, a batch is a dozen calls and no hundred", () =>
  withStandIn(flummoxedBy(() => true), async ({ provider, received }) => {
    const states = await provider.poll(hundred);
    assertEquals(new Set(states.map(brief)), new Set(["unanswered unknown flummoxed"]));
    assertEquals([states.length, received.length], [100, 15]);
  }));

Deno.test("looking for a bad id ends with the time", () =>
  withStandIn(flummoxedBy(() => true), async ({ provider, received }) => {
    let left = 1;
    const states = await provider.poll(hundred, { hasTime: () => left-- > 0 });
    assertEquals(new Set(states.map(brief)), new Set(["unanswered unknown flummoxed"]));
    assertEquals([states.length, received.length], [100, 2]);
  }));

Deno.test("whatever JSON comes back, every id asked about has exactly one state", () => {
  const ids = [ID_A, ID_B];
  const value = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom("error", "success", "processing", URL_A, ...ids),
  );
  const entry = fc.dictionary(
    fc.constantFrom("taskUUID", "status", "videoURL", "error", "code", "cost", "progress"),
    value,
  );
  const body = fc.dictionary(
    fc.constantFrom("data", "errors", "error", "taskUUID"),
    fc.oneof(fc.array(fc.oneof(entry, value)), entry, value),
  );
  fc.assert(fc.property(body, fc.constantFrom(200, 400, 429, 500), (raw, status) => {
    const envelope = readEnvelope(raw);
    if (envelope === undefined) return;
    for (const id of ids) {
      const state = polledState(id, { ...envelope, status, raw });
      assertEquals(state.id, id);
      if (state.state === "succeeded") assertEquals(URL.canParse(state.videoUrl), true);
    }
  }));
});
