import { assertEquals } from "@std/assert";
import type { TaskState } from "../../shared/providers/provider.ts";
import { KIE_KEY, TASK, withKie } from "../support/kie_support.ts";
import type { Recorded } from "../support/recorded.ts";
import { FAR_TOO_MUCH } from "../support/runware_support.ts";

const FILE = "https://tempfile.aiquickdraw.com/v/a.mp4";

/** Where the task stands when its record is answered like this. */
async function polled(answer: Recorded): Promise<TaskState> {
  let states: TaskState[] = [];
  await withKie(answer, async (provider) => {
    states = await provider.poll([TASK]);
  });
  const [state] = states;
  if (state === undefined) throw new Error("A task has no state");
  return state;
}

function told(data: unknown): Promise<TaskState> {
  return polled({ body: { code: 200, msg: "success", data } });
}

function wordOf(state: TaskState): string {
  return "error" in state ? `${state.state} ${state.error.kind} ${state.error.code}` : state.state;
}

const codes: readonly (readonly [code: number, expected: string])[] = [
  [400, "unanswered validation 400"],
  [401, "unanswered auth 401"],
  [402, "unanswered balance 402"],
  [403, "unanswered auth 403"],
  [404, "missing not_found 404"],
  [408, "failed timeout 408"],
  [422, "missing not_found 422"],
  [429, "unanswered rate 429"],
  [433, "unanswered balance 433"],
  [455, "unanswered server 455"],
  [500, "unanswered server 500"],
  [501, "failed provider 501"],
  [502, "unanswered server 502"],
  [505, "unanswered model_off 505"],
];

Deno.test("a record's code means the same in a body with status 200 and as a true status", async () => {
  for (const [code, expected] of codes) {
    const body = { code, msg: "recordInfo is null", data: null };
    assertEquals(wordOf(await polled({ body })), expected);
    assertEquals(wordOf(await polled({ status: code, body })), expected);
  }
});

Deno.test("an HTTP status alone is no end of a task, and loses none: only the code in the body does", async () => {
  for (const status of [400, 404, 408, 422, 501]) {
    for (const body of [{ code: 200, msg: "success", data: null }, { msg: "?" }, "<html>", ""]) {
      const state = await polled({ status, body });
      assertEquals(wordOf(state), `unanswered server http_${status}`, JSON.stringify(body));
    }
  }
  const record = { code: 200, msg: "success", data: { taskId: TASK, state: "fail" } };
  assertEquals(wordOf(await polled({ status: 503, body: record })), "unanswered server http_503");
});

Deno.test("an address that is not there is no lost task", async () => {
  const body = { timestamp: 1, status: 404, error: "Not Found", path: "/api/v1/jobs/recordinfo" };
  assertEquals(wordOf(await polled({ status: 404, body })), "unanswered server http_404");
});

Deno.test("F19 a task runs while its state is any but the two ends, known or not", async () => {
  for (const state of ["waiting", "queuing", "generating", "reviewing"]) {
    assertEquals(await told({ taskId: TASK, state, resultJson: "", progress: 0 }), {
      id: TASK,
      state: "processing",
    });
  }
  assertEquals(await told({ taskId: TASK, state: "generating", progress: 40 }), {
    id: TASK,
    state: "processing",
    progress: 40,
  });
  assertEquals((await told({ taskId: TASK, successFlag: 0 })).state, "processing");
});

Deno.test("F19 an end is an end in other letters and by its other names", async () => {
  const response = { resultUrls: [FILE] };
  for (const state of ["SUCCESS", "Success", "succeeded", "SUCCEEDED", "completed"]) {
    assertEquals(wordOf(await told({ taskId: TASK, state, response })), "succeeded", state);
  }
  for (const state of ["FAIL", "failed", "Failed"]) {
    const failed = { taskId: TASK, state, failCode: "500", failMsg: "The engine broke" };
    assertEquals(wordOf(await told(failed)), "failed provider 500", state);
  }
});

Deno.test("F19 a link is found in every form in which results were seen, and never the lesser copy", async () => {
  const lesser = ["https://tempfile.aiquickdraw.com/v/origin.mp4"];
  const forms: Record<string, unknown>[] = [
    { resultJson: JSON.stringify({ resultUrls: [FILE] }) },
    { resultJson: JSON.stringify({ resultUrls: [FILE] }), response: null },
    { resultJson: "", response: { resultUrls: [FILE] } },
    { response: JSON.stringify({ resultUrls: [FILE] }) },
    { resultJson: JSON.stringify({ data: { result_urls: [FILE], origin_urls: lesser } }) },
    { info: { resultUrls: JSON.stringify([FILE]), originUrls: lesser } },
    { resultJson: { resultUrls: FILE } },
  ];
  for (const form of forms) {
    assertEquals(
      await told({ taskId: TASK, state: "success", creditsConsumed: 65, ...form }),
      { id: TASK, state: "succeeded", videoUrl: FILE, costUsd: 0.325 },
      JSON.stringify(form),
    );
  }
  const flagged = { taskId: TASK, successFlag: 1, response: { resultUrls: [FILE] } };
  assertEquals((await told(flagged)).state, "succeeded");
});

Deno.test("F19 among several links the video's is taken, wherever it stands", async () => {
  const picture = "https://tempfile.aiquickdraw.com/v/cover.jpg?of=a.mp4";
  const signed = "https://tempfile.aiquickdraw.com/v/A.MP4?token=1";
  const nameless = "https://tempfile.aiquickdraw.com/v/7";
  const cases: readonly (readonly [form: object, videoUrl: string])[] = [
    [{ resultJson: JSON.stringify({ resultUrls: [picture, signed] }) }, signed],
    [{ response: { resultUrls: [picture] }, resultJson: { resultUrls: [FILE] } }, FILE],
    [{ response: { resultUrls: [picture], data: { result_urls: [FILE] } } }, FILE],
    [{ response: { resultUrls: [null, FILE] } }, FILE],
    [{ response: { resultUrls: [nameless, picture] } }, nameless],
  ];
  for (const [form, videoUrl] of cases) {
    const state = await told({ taskId: TASK, state: "success", ...form });
    assertEquals(state, { id: TASK, state: "succeeded", videoUrl }, JSON.stringify(form));
  }
});

Deno.test("F19 a success without a usable link, or a record of another task, is no news", async () => {
  const strange: unknown[] = [
    { taskId: TASK, state: "success", resultJson: "not JSON" },
    { taskId: TASK, state: "success", resultJson: '{"resultUrls":[]}' },
    { taskId: TASK, state: "success", resultJson: '{"resultUrls":["ftp://x/y.mp4"]}' },
    { taskId: TASK, state: "success", response: { originUrls: [FILE] } },
    { taskId: "another", state: "success", response: { resultUrls: [FILE] } },
    { taskId: TASK },
    null,
    [],
    "text",
  ];
  for (const data of strange) {
    assertEquals(
      wordOf(await told(data)),
      "unanswered server unreadable",
      JSON.stringify(data),
    );
  }
});

Deno.test("a task that failed tells what it consumed all the same", async () => {
  const fail = { taskId: TASK, state: "fail", failCode: "500", failMsg: "The engine broke" };
  const costOf = async (more: object) => {
    const state = await told({ ...fail, ...more });
    return state.state === "failed" ? state.costUsd : "not failed";
  };
  assertEquals(await costOf({ creditsConsumed: 65 }), 0.325);
  assertEquals(await costOf({ creditsConsumed: 0 }), 0);
  assertEquals(await costOf({}), undefined);
});

Deno.test("why a task failed: its own code and words, sorted by both", async () => {
  const reasons: readonly (readonly [code: unknown, message: string, expected: string])[] = [
    ["500", "Internal server error", "provider 500"],
    [500, "Internal server error", "provider 500"],
    ["501", "Generation failed", "provider 501"],
    ["", "", "provider fail"],
    ["GPU_LOST", "The engine broke", "provider GPU_LOST"],
    ["408", "Upstream is silent", "timeout 408"],
    ["500", "The task timed out", "timeout 500"],
    ["422", "duration is not supported", "validation 422"],
    ["400", "Bad request", "validation 400"],
    ["400", "Your prompt was flagged", "safety 400"],
    ["500", "Output blocked by content moderation", "safety 500"],
    ["451", "The image could not be fetched", "validation 451"],
    ["402", "Credits insufficient", "balance 402"],
    ["433", "The sub-key's cap", "balance 433"],
    ["401", "No access", "auth 401"],
    ["429", "Too fast", "rate 429"],
    ["455", "Maintenance", "unavailable 455"],
    ["505", "The model is off", "model_off 505"],
  ];
  for (const [failCode, failMsg, expected] of reasons) {
    const state = await told({ taskId: TASK, state: "fail", failCode, failMsg });
    assertEquals(wordOf(state), `failed ${expected}`);
  }
  const veo = { taskId: TASK, successFlag: 3, errorCode: 501, errorMessage: "Failed" };
  assertEquals(wordOf(await told(veo)), "failed provider 501");
});

Deno.test("one GET a task, a few at a time, answers in the order asked", async () => {
  let open = 0;
  let most = 0;
  const ids = Array.from({ length: 30 }, (_, at) => `task${at}`);
  await withKie(async ({ method, url, headers }) => {
    most = Math.max(most, ++open);
    await new Promise((resolve) => setTimeout(resolve, 1));
    open--;
    assertEquals([method, url.pathname], ["GET", "/api/v1/jobs/recordInfo"]);
    assertEquals(headers.get("authorization"), `Bearer ${KIE_KEY}`);
    return { body: { code: 200, data: { taskId: url.searchParams.get("taskId"), state: "fail" } } };
  }, async (provider, received) => {
    const states = await provider.poll(ids);
    assertEquals(states.map(({ id }) => id), ids);
    assertEquals(new Set(states.map(({ state }) => state)), new Set(["failed"]));
    assertEquals(received.length, 30);
    assertEquals(most <= 8, true);
  });
});

Deno.test("tasks that there is no time for are not asked about", () =>
  withKie({ body: { code: 200, data: { state: "waiting" } } }, async (provider, received) => {
    let left = 1;
    const states = await provider.poll([TASK, "second"], { hasTime: () => left-- > 0 });
    assertEquals(states.map(wordOf), ["processing", "unanswered server lease_over"]);
    assertEquals(received.length, 1);
  }));

Deno.test("a record that is too long counts as unreadable, however good its beginning", async () => {
  const record = JSON.stringify({ code: 200, data: { taskId: TASK, state: "waiting" } });
  assertEquals(
    wordOf(await polled({ body: record + FAR_TOO_MUCH })),
    "unanswered server unreadable",
  );
});
