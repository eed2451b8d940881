import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { polledState } from "../../shared/providers/runway/answers.ts";
import { standing } from "../support/runware_support.ts";
import type { Recorded } from "../support/recorded.ts";
import { TASK, withRunway } from "../support/runway_support.ts";

const URL_OF_FILE = "https://dnznrvs05pmza.cloudfront.net/x.mp4?_jwt=a";
const task = (status: string, more: Record<string, unknown> = {}): Recorded => ({
  body: { id: TASK, status, createdAt: "2026-11-21T04:00:00Z", ...more },
});
/** Runway's own word that there is no such task. */
const UNKNOWN: Recorded = { status: 404, body: { error: "The task was not found." } };
const failed = (failureCode?: string | null) => task("FAILED", { failure: "No.", failureCode });

/** Answers to a poll, and where the task then stands. */
const answers: readonly (readonly [name: string, answer: Recorded, expected: string])[] = [
  ["PENDING", task("PENDING", { estimatedCost: { credits: 60 } }), "processing"],
  ["THROTTLED, which is queued", task("THROTTLED"), "processing"],
  ["RUNNING", task("RUNNING", { progress: 0.42 }), "processing"],
  ["RUNNING with nonsense for progress", task("RUNNING", { progress: "fast" }), "processing"],
  ["SUCCEEDED", task("SUCCEEDED", { output: [URL_OF_FILE] }), "succeeded"],
  ["SUCCEEDED without a file", task("SUCCEEDED", { output: [] }), "unanswered server unreadable"],
  [
    "SUCCEEDED with a file that is no link",
    task("SUCCEEDED", { output: ["javascript:alert(1)"] }),
    "unanswered server unreadable",
  ],
  ["CANCELLED", task("CANCELLED"), "failed not_found CANCELLED"],
  ["a status that is new", task("DREAMING"), "unanswered server unreadable"],
  ["refused words", failed("SAFETY.INPUT.TEXT"), "failed safety SAFETY.INPUT.TEXT"],
  ["a refused picture", failed("SAFETY.INPUT.IMAGE"), "failed safety SAFETY.INPUT.IMAGE"],
  ["a refused result", failed("SAFETY.OUTPUT.VIDEO"), "failed safety SAFETY.OUTPUT.VIDEO"],
  [
    "words refused before the start",
    failed("INPUT_PREPROCESSING.SAFETY.TEXT"),
    "failed safety INPUT_PREPROCESSING.SAFETY.TEXT",
  ],
  [
    "words refused by another maker",
    failed("INPUT_PREPROCESSING.SAFETY.THIRD_PARTY"),
    "failed safety INPUT_PREPROCESSING.SAFETY.THIRD_PARTY",
  ],
  ["a bad picture", failed("ASSET.INVALID"), "failed validation ASSET.INVALID"],
  [
    "input that another maker refuses",
    failed("THIRD_PARTY.INPUT_VALIDATION"),
    "failed validation THIRD_PARTY.INPUT_VALIDATION",
  ],
  [
    "a bad result",
    failed("INTERNAL.BAD_OUTPUT.CODE01"),
    "failed provider INTERNAL.BAD_OUTPUT.CODE01",
  ],
  ["an internal failure", failed("INTERNAL"), "failed provider INTERNAL"],
  [
    "a failure before the start",
    failed("INPUT_PREPROCESSING.INTERNAL"),
    "failed provider INPUT_PREPROCESSING.INTERNAL",
  ],
  [
    "another maker who is away",
    failed("THIRD_PARTY.UNAVAILABLE"),
    "failed unavailable THIRD_PARTY.UNAVAILABLE",
  ],
  ["no code", failed(undefined), "failed provider FAILED"],
  ["a code that is null", failed(null), "failed provider FAILED"],
  ["a code that is new", failed("SOMETHING.ELSE"), "failed unknown SOMETHING.ELSE"],
  ["404", { status: 404, body: { error: "Not found" } }, "missing not_found http_404"],
  ["404 and a page", { status: 404, body: "<h1>nginx</h1>" }, "unanswered server http_404"],
  ["404 and nothing", { status: 404 }, "unanswered server http_404"],
  [
    "404 in the words of an edge",
    { status: 404, body: { message: "no Route matched" } },
    "unanswered server http_404",
  ],
  ["401", { status: 401 }, "unanswered auth http_401"],
  ["429", { status: 429 }, "unanswered rate http_429"],
  ["500", { status: 500 }, "unanswered server http_500"],
  ["a page", { body: "<html>" }, "unanswered server unreadable"],
];

for (const [name, answer, expected] of answers) {
  Deno.test(`a task that Runway answers by ${name} is ${expected}`, () =>
    withRunway(answer, async (provider, received) => {
      const states = await provider.poll([TASK]);
      assertEquals(states.map((one) => [one.id, standing(one)]), [[TASK, expected]]);
      assertEquals([received[0]?.method, received[0]?.url.pathname], ["GET", `/v1/tasks/${TASK}`]);
    }));
}

Deno.test("progress is in percent, cost in dollars, the file is the first one", () => {
  const tell = (answer: Recorded) =>
    polledState(TASK, { status: 200, json: answer.body, raw: null });
  assertEquals(tell(task("RUNNING", { progress: 0.42 })), {
    id: TASK,
    state: "processing",
    progress: 42,
  });
  const output = [URL_OF_FILE, "https://elsewhere.example/2.mp4"];
  assertEquals(tell(task("SUCCEEDED", { output, cost: { credits: 29 } })), {
    id: TASK,
    state: "succeeded",
    videoUrl: URL_OF_FILE,
    costUsd: 0.29,
  });
});

Deno.test("a task that failed or was cancelled tells what it cost all the same", () => {
  const costOf = (answer: Recorded) => {
    const state = polledState(TASK, { status: 200, json: answer.body, raw: null });
    return state.state === "failed" ? state.costUsd : "not failed";
  };
  const cost = { credits: 60 };
  assertEquals(costOf(task("FAILED", { failureCode: "SAFETY.INPUT.TEXT", cost })), 0.6);
  assertEquals(costOf(task("CANCELLED", { cost })), 0.6);
  assertEquals(costOf(task("FAILED", { cost: { credits: 0 } })), 0);
  assertEquals(costOf(task("FAILED", {})), undefined);
  assertEquals(costOf(task("FAILED", { cost: "free" })), undefined);
});

Deno.test("many tasks are one call each, a few at a time, and each answer finds its task", async () => {
  const arrived = Promise.withResolvers<void>();
  let [open, most] = [0, 0];
  await withRunway(async ({ url: { pathname: path } }) => {
    most = Math.max(most, ++open);
    if (most === 10) arrived.resolve();
    await arrived.promise;
    open--;
    return path.endsWith("7") ? UNKNOWN : task("PENDING");
  }, async (provider, received) => {
    const ids = Array.from({ length: provider.pollBatch }, (_, at) => `task-${at}`);
    const states = await provider.poll(ids);
    assertEquals(states.map(({ id }) => id), ids);
    assertEquals(
      states.filter(({ state }) => state === "missing").map(({ id }) => id),
      ["task-7", "task-17"],
    );
    assertEquals([received.length, most], [provider.pollBatch, 10]);
  });
});

Deno.test("tasks that there is no time for are not asked about", () =>
  withRunway(task("PENDING"), async (provider, received) => {
    let left = 1;
    const states = await provider.poll([TASK, "second"], { hasTime: () => left-- > 0 });
    assertEquals(states.map(standing), ["processing", "unanswered server lease_over"]);
    assertEquals(received.length, 1);
  }));

Deno.test("an id that is not one cannot lead anywhere else", () =>
  withRunway({ status: 404 }, async (provider, received) => {
    await provider.poll(["../organization?x="]);
    assertEquals(received[0]?.url.pathname, "/v1/tasks/..%2Forganization%3Fx%3D");
  }));

Deno.test("cancelling: done, not known, and no word", async () => {
  const cases = [
    [{ status: 204 }, "cancelled"],
    [{ status: 200 }, "cancelled"],
    [UNKNOWN, "missing"],
    [{ status: 404, body: "<h1>nginx</h1>" }, "unknown"],
    [{ status: 500 }, "unknown"],
  ] as const;
  for (const [answer, expected] of cases) {
    await withRunway(answer, async (provider, received) => {
      assertEquals((await provider.cancel?.(TASK))?.outcome, expected);
      assertEquals([received[0]?.method, received[0]?.url.pathname], [
        "DELETE",
        `/v1/tasks/${TASK}`,
      ]);
    });
  }
});

Deno.test("the balance is told in dollars, and an error is thrown where there is none", async () => {
  await withRunway({ body: { creditBalance: 999_880, tier: {} } }, async (provider) => {
    assertEquals(await provider.balanceUsd(), 9_998.8);
  });
  await withRunway(
    { status: 401, body: { error: "The API key is not valid" } },
    async (provider) => {
      await assertRejects(() => provider.balanceUsd(), Error, "not valid");
    },
  );
});

Deno.test("whatever JSON comes back, a task has exactly one state", () => {
  fc.assert(fc.property(fc.jsonValue(), fc.constantFrom(200, 400, 404, 500), (json, status) => {
    const state = polledState(TASK, { status, json, raw: json });
    assertEquals(state.id, TASK);
    JSON.stringify(state);
  }));
});
