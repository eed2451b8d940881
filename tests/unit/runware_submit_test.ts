import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { submitOutcome } from "../../shared/providers/runware/answers.ts";
import { readEnvelope } from "../../shared/providers/runware/schemas.ts";
import {
  API_KEY,
  ID_A,
  ID_B,
  ID_C,
  type Recorded,
  standing,
  videoTask,
  withStandIn,
} from "../support/runware_support.ts";

function ack(id: string) {
  return { taskType: "videoInference", taskUUID: id };
}

function error(code: string, more: Record<string, unknown> = {}) {
  return { code, message: `Told: ${code}`, documentation: "https://runware.ai/docs", ...more };
}

/** Answers to a call that hands over one task, A. */
const single: readonly (readonly [name: string, answer: Recorded, expected: string])[] = [
  ["an acknowledgement", { body: { data: [ack(ID_A)] } }, "accepted"],
  ["an acknowledgement in capitals", { body: { data: [ack(ID_A.toUpperCase())] } }, "accepted"],
  ["an empty acknowledgement", { body: { data: [] } }, "accepted"],
  ["data as one object", { body: { data: ack(ID_A) } }, "accepted"],
  [
    "a conflict over our own id",
    {
      status: 400,
      body: {
        data: [],
        errors: [error("conflictTaskUUID", { taskUUID: ID_A, context: { taskUUID: ID_A } })],
      },
    },
    "accepted",
  ],
  [
    "a conflict without context, with status 200",
    { body: { errors: [error("conflictTaskUUID", { taskUUID: ID_A })] } },
    "accepted",
  ],
  [
    "an acknowledgement and an error for the same id",
    { body: { data: [ack(ID_A)], errors: [error("providerError", { taskUUID: ID_A })] } },
    "accepted",
  ],
  [
    "a duplicate of our own id",
    { status: 400, body: { errors: [error("duplicateTaskUUID", { taskUUID: ID_A })] } },
    "accepted",
  ],
  [
    "a gateway that waited in vain",
    { status: 504, body: { errors: [error("gatewayTimeout", { taskUUID: ID_A })] } },
    "unknown timeout gatewayTimeout",
  ],
  [
    "an engine that fell over with a status of the server's",
    { status: 502, body: { errors: [error("providerBadGateway", { taskUUID: ID_A })] } },
    "unknown provider providerBadGateway",
  ],
  [
    "an engine's refusal",
    { status: 400, body: { errors: [error("providerError", { taskUUID: ID_A })] } },
    "refused provider providerError",
  ],
  [
    "a wrong duration",
    {
      status: 400,
      body: {
        errors: [
          error("unsupportedDuration", {
            taskUUID: ID_A,
            parameter: "duration",
            allowedValues: [5],
          }),
        ],
      },
    },
    "refused validation unsupportedDuration",
  ],
  [
    "an error about several parameters",
    {
      status: 400,
      body: {
        errors: [error("incompatibleParameters", { taskUUID: ID_A, parameter: ["a", "b"] })],
      },
    },
    "refused validation incompatibleParameters",
  ],
  [
    "an item of data that failed, error inside",
    { body: { data: [{ ...ack(ID_A), status: "error", error: error("promptBlocked") }] } },
    "refused safety promptBlocked",
  ],
  [
    "an item of data that failed, code on the item",
    { body: { data: [{ ...ack(ID_A), status: "error", ...error("invalidWidth") }] } },
    "refused validation invalidWidth",
  ],
  [
    "a bare error with our id",
    { status: 503, body: { error: error("noAvailableServer"), taskUUID: ID_A } },
    "refused unavailable noAvailableServer",
  ],
  [
    "trouble in the API, though it names our task",
    { status: 500, body: { errors: [error("internalServerError", { taskUUID: ID_A })] } },
    "unknown server internalServerError",
  ],
  [
    "a refused key",
    { status: 401, body: { errors: [error("invalidApiKey", { taskType: "authentication" })] } },
    "refused auth invalidApiKey",
  ],
  [
    "a refused key with status 200",
    { body: { errors: [error("invalidApiKey")] } },
    "refused auth invalidApiKey",
  ],
  [
    "an empty account",
    { status: 402, body: { errors: [error("insufficientCredits")] } },
    "refused balance insufficientCredits",
  ],
  [
    "an account that is not allowed",
    { status: 403, body: { errors: [error("accountSuspended")] } },
    "refused auth accountSuspended",
  ],
  [
    "too many calls",
    { status: 429, body: { errors: [error("rateLimitExceeded")] } },
    "refused rate rateLimitExceeded",
  ],
  ["a bare 429", { status: 429, body: "slow down" }, "refused rate http_429"],
  ["a bare 401", { status: 401, body: "" }, "refused auth http_401"],
  ["a bare 402", { status: 402, body: "{}" }, "refused balance http_402"],
  [
    "an unknown code under a telling status",
    { status: 402, body: { errors: [error("walletEmpty")] } },
    "refused balance walletEmpty",
  ],
  [
    "bad input without our id, when there is no other task",
    { status: 400, body: { errors: [error("missingTaskUUID")] } },
    "refused validation missingTaskUUID",
  ],
  [
    "no server",
    { status: 503, body: { error: error("noAvailableServer") } },
    "refused unavailable noAvailableServer",
  ],
  [
    "a gateway's page",
    { status: 502, body: "<html>Bad gateway</html>" },
    "unknown server http_502",
  ],
  [
    "a redirect",
    { status: 307, headers: { location: "/v2" }, body: "" },
    "unknown server http_307",
  ],
  ["a wrong address", { status: 404, body: "not found" }, "unknown server http_404"],
  ["no JSON", { body: "OK" }, "unknown server unreadable"],
  ["JSON that is no answer", { body: { ok: true } }, "unknown server unreadable"],
  ["an array", { body: [ack(ID_A)] }, "unknown server unreadable"],
  ["data that names nobody", { body: { data: [null, 7, "x"] } }, "unknown server unreadable"],
  [
    "errors about another task only",
    { body: { data: [], errors: [error("invalidModel", { taskUUID: ID_B })] } },
    "unknown server unreadable",
  ],
  ["data that names another task", { body: { data: [ack(ID_B)] } }, "unknown server unreadable"],
];

for (const [name, answer, expected] of single) {
  Deno.test(`a task handed over and answered by ${name} is ${expected}`, () =>
    withStandIn(answer, async ({ provider }) => {
      const outcomes = await provider.submit([videoTask(ID_A)]);
      assertEquals(outcomes.map((one) => [one.id, standing(one)]), [[ID_A, expected]]);
    }));
}

Deno.test("many tasks go over in one call and each gets its own outcome", () =>
  withStandIn({
    status: 400,
    body: {
      data: [ack(ID_C)],
      errors: [
        error("invalidModel", { taskUUID: ID_A, parameter: "model" }),
        error("conflictTaskUUID", { taskUUID: ID_B }),
      ],
    },
  }, async ({ provider, received }) => {
    const outcomes = await provider.submit([ID_A, ID_B, ID_C].map((id) => videoTask(id)));
    assertEquals(outcomes.map(standing), [
      "refused validation invalidModel",
      "accepted",
      "accepted",
    ]);
    assertEquals(received.length, 1);
    assertEquals(received[0]?.tasks.map((task) => task["taskUUID"]), [ID_A, ID_B, ID_C]);
  }));

Deno.test("an empty account refuses only the tasks that were not taken before it was empty", () =>
  withStandIn(
    { body: { data: [ack(ID_A)], errors: [error("insufficientCredits")] } },
    async ({ provider }) => {
      const outcomes = await provider.submit([videoTask(ID_A), videoTask(ID_B)]);
      assertEquals(outcomes.map(standing), ["accepted", "refused balance insufficientCredits"]);
    },
  ));

Deno.test("a bad task that is not named is found, and the others are still handed over", () =>
  withStandIn(
    ({ tasks }) => {
      const ids = tasks.map((task) => String(task["taskUUID"]));
      if (ids.includes(ID_B)) return { status: 400, body: { errors: [error("invalidPrompt")] } };
      return { body: { data: ids.map(ack) } };
    },
    async ({ provider }) => {
      const outcomes = await provider.submit([ID_A, ID_B, ID_C].map((id) => videoTask(id)));
      assertEquals(outcomes.map((one) => [one.id, standing(one)]), [
        [ID_A, "accepted"],
        [ID_B, "refused validation invalidPrompt"],
        [ID_C, "accepted"],
      ]);
    },
  ));

/** Time for so many requests more. */
function timeFor(requests: number) {
  let left = requests;
  return { hasTime: () => left-- > 0 };
}

Deno.test("looking for a bad task ends with the time, and what was not sent is nobody's failure", () =>
  withStandIn(
    { status: 400, body: { errors: [error("invalidPrompt")] } },
    async ({ provider, received }) => {
      const tasks = [ID_A, ID_B, ID_C].map((id) => videoTask(id));
      const outcomes = await provider.submit(tasks, timeFor(2));
      assertEquals(outcomes.map((one) => [one.id, standing(one)]), [
        [ID_A, "refused server lease_over"],
        [ID_B, "refused server lease_over"],
        [ID_C, "refused validation invalidPrompt"],
      ]);
      assertEquals(received.map(({ tasks }) => tasks.length), [3, 2, 1], "halves before quarters");
    },
  ));

for (
  const [name, status, code, kind] of [
    ["a code that is new", 400, "flummoxed", "unknown"],
    ["bad input, from an API in trouble", 500, "invalidPrompt", "validation"],
  ] as const
) {
  Deno.test(`${name} is no reason to hand over each task alone`, () =>
    withStandIn(
      { status, body: { errors: [error(code)] } },
      async ({ provider, received }) => {
        const outcomes = await provider.submit([ID_A, ID_B].map((id) => videoTask(id)));
        const expected = `unknown ${kind} ${code}`;
        assertEquals(outcomes.map(standing), [expected, expected]);
        assertEquals(received.length, 1);
      },
    ));
}

Deno.test("nothing to hand over makes no call", () =>
  withStandIn({ body: {} }, async ({ provider, received }) => {
    assertEquals(await provider.submit([]), []);
    assertEquals(received.length, 0);
  }));

Deno.test("the error of a refused task keeps what Runware said, word for word", () => {
  const raw = error("unsupportedDuration", {
    taskUUID: ID_A,
    parameter: ["duration", "model"],
    allowedValues: [5, 8],
  });
  return withStandIn(
    { status: 400, headers: { "retry-after": "7" }, body: { errors: [raw] } },
    async ({ provider }) => {
      assertEquals(await provider.submit([videoTask(ID_A)]), [{
        id: ID_A,
        outcome: "refused",
        error: {
          kind: "validation",
          code: "unsupportedDuration",
          message: "Told: unsupportedDuration",
          parameter: "duration, model",
          allowedValues: [5, 8],
          retryAfterSeconds: 7,
          raw,
        },
      }]);
    },
  );
});

Deno.test("F25 an answer that quotes our key back does not carry it any further", () =>
  withStandIn(
    { status: 401, body: { errors: [error("invalidApiKey", { message: `Bad key ${API_KEY}` })] } },
    async ({ provider }) => {
      const told = JSON.stringify(await provider.submit([videoTask(ID_A)]));
      assertEquals(told.includes(API_KEY), false);
      assertEquals(told.includes("Bad key [redacted]"), true);
    },
  ));

Deno.test("what Postgres cannot store is taken out of an answer", () =>
  withStandIn(
    {
      status: 400,
      body: '{"errors":[{"code":"invalidX","message":"a\\u0000b\\ud800","taskUUID":"' + ID_A +
        '","\\u0000k":1}]}',
    },
    async ({ provider }) => {
      const [outcome] = await provider.submit([videoTask(ID_A)]);
      const told = JSON.stringify(outcome);
      assertEquals(/\\u0000|\\ud8/.test(told), false);
    },
  ));

Deno.test("whatever JSON comes back, every task has exactly one outcome", () => {
  const ids = [ID_A, ID_B, ID_C];
  fc.assert(fc.property(
    fc.oneof(fc.jsonValue(), answerLike(ids)),
    fc.constantFrom(200, 400, 401, 402, 429, 500, 503),
    (body, status) => {
      const envelope = readEnvelope(body);
      if (envelope === undefined) return;
      for (const id of ids) {
        const outcome = submitOutcome(id, { ...envelope, status, raw: body });
        assertEquals(outcome.id, id);
        JSON.stringify(outcome);
      }
    },
  ));
});

/** JSON that looks enough like an answer to get deep into the reader. */
function answerLike(ids: readonly string[]): fc.Arbitrary<unknown> {
  const field = fc.oneof(fc.jsonValue(), fc.constantFrom("error", "success", "processing", ...ids));
  const item = fc.record({
    taskUUID: fc.oneof(field, fc.constantFrom(...ids)),
    status: field,
    code: field,
    error: field,
    message: field,
    videoURL: field,
    cost: field,
    progress: field,
    parameter: field,
  }, { requiredKeys: [] });
  const items = fc.oneof(fc.array(item), item, fc.jsonValue());
  return fc.record({ data: items, errors: items, error: item, taskUUID: field }, {
    requiredKeys: [],
  });
}
