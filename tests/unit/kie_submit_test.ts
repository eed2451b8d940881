import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { createServer } from "node:http";
import { createKieProvider } from "../../shared/providers/kie/adapter.ts";
import { JOB, KIE_KEY, kieTask, submitted, TASK, withKie } from "../support/kie_support.ts";

/** What each code of a create means: the outcome and the kind of its error. */
const codes: readonly (readonly [code: number, message: string, expected: string])[] = [
  [400, "Bad request", "refused validation"],
  [400, "Your prompt was flagged by Website as violating content policies.", "refused safety"],
  [401, "You do not have access permissions", "refused auth"],
  [402, "Credits insufficient", "refused balance"],
  [403, "Forbidden", "refused auth"],
  [404, "The model does not exist", "refused model_off"],
  [422, "Please enter prompt", "refused validation"],
  [422, "The image contains sensitive content", "refused safety"],
  [429, "The call frequency is too high", "refused rate"],
  [433, "The sub-key usage exceeded the limit", "refused balance"],
  [451, "Failed to fetch the image", "refused validation"],
  [455, "System maintenance", "refused server"],
  [505, "The feature is disabled", "refused model_off"],
  // It may be there: whatever is not a documented refusal is never sent again.
  [408, "No result for 10 minutes", "unknown timeout"],
  [418, "A teapot", "unknown unknown"],
  [500, "Server error", "unknown server"],
  [501, "Generation failed", "unknown provider"],
  [502, "Bad gateway", "unknown server"],
  [503, "Service unavailable", "unknown server"],
];

Deno.test("a create's code means the same in a body with status 200 and as a true status", async () => {
  for (const [code, msg, expected] of codes) {
    const body = { code, msg, data: null };
    for (const status of [200, code]) {
      const outcome = await submitted({ status, body });
      const error = "error" in outcome ? outcome.error : undefined;
      assertEquals(`${outcome.outcome} ${error?.kind}`, expected, `${code} with ${status}`);
      assertEquals([error?.code, error?.message, error?.raw], [String(code), msg, body]);
    }
  }
});

Deno.test("a true error status wins over a 200 in the body, and says no more than with no body", async () => {
  const body = { code: 200, msg: "success", data: null };
  const words = await Promise.all([401, 403, 429, 400, 404, 422, 503].map(async (status) => {
    const outcome = await submitted({ status, body });
    return `${status} ${outcome.outcome} ${"error" in outcome && outcome.error.kind}`;
  }));
  assertEquals(words, [
    "401 refused auth",
    "403 refused auth",
    "429 refused rate",
    "400 unknown server",
    "404 unknown server",
    "422 unknown server",
    "503 unknown server",
  ]);
});

Deno.test("a task that is named is there, whatever it is named under, and is not handed over again", async () => {
  const data = { taskId: TASK };
  for (const [status, code] of [[429, 200], [400, 200], [503, 200], [200, 429], [200, 402]]) {
    const body = { code, msg: "?", data };
    const outcome = await submitted({ ...(status === undefined ? {} : { status }), body });
    assertEquals(outcome, { id: JOB, outcome: "accepted", providerTaskId: TASK });
  }
});

Deno.test("a task whose name is none that we could look up is as good as not named", async () => {
  for (const taskId of ["", "x".repeat(201), 0, 7.5, 2 ** 60, null]) {
    const body = { code: 200, msg: "success", data: { taskId } };
    assertEquals((await submitted({ body })).outcome, "unknown", JSON.stringify(taskId));
  }
});

Deno.test("an empty name beside a refusal is no task: nothing was bought, and the provider rests", async () => {
  for (const [code, expected] of [[402, "refused balance"], [429, "refused rate"]] as const) {
    const outcome = await submitted({ body: { code, msg: "No", data: { taskId: "" } } });
    const error = "error" in outcome ? outcome.error : undefined;
    assertEquals(`${outcome.outcome} ${error?.kind}`, expected);
  }
});

Deno.test("a task that is named by a number is looked up under its digits", async () => {
  const body = { code: 200, msg: "success", data: { taskId: 123456 } };
  const accepted = { id: JOB, outcome: "accepted", providerTaskId: "123456" } as const;
  assertEquals(await submitted({ body }), accepted);
});

Deno.test("of a long answer its beginning is kept", async () => {
  const body = { code: 422, msg: "Please enter prompt", data: "x".repeat(20_000) };
  const outcome = await submitted({ body });
  const raw = "error" in outcome ? outcome.error.raw : undefined;
  assertEquals(raw, JSON.stringify(body).slice(0, 2_000));
});

Deno.test("a task is taken when it is named, and never believed to be when it is not", async () => {
  const named = { code: 200, msg: "success", data: { taskId: TASK, recordId: "7" } };
  assertEquals(await submitted({ body: named }), {
    id: JOB,
    outcome: "accepted",
    providerTaskId: TASK,
  });
  const unclear: unknown[] = [
    { code: 200, msg: "success", data: null },
    { code: 200, msg: "success", data: { recordId: "7" } },
    { code: "nothing", data: { taskId: TASK } },
    {},
    [],
    null,
    "<!doctype html><h1>Hello</h1>",
  ];
  for (const body of unclear) {
    const outcome = await submitted({ body });
    assertEquals(outcome.outcome, "unknown", JSON.stringify(body));
    assertEquals("error" in outcome && outcome.error.code, "unreadable");
  }
});

Deno.test("a status with no envelope turns away only for key and pace", async () => {
  const words = await Promise.all([401, 403, 429, 404, 500, 502].map(async (status) => {
    const outcome = await submitted({ status, body: "<h1>nginx</h1>" });
    return `${status} ${outcome.outcome} ${"error" in outcome && outcome.error.kind}`;
  }));
  assertEquals(words, [
    "401 refused auth",
    "403 refused auth",
    "429 refused rate",
    "404 unknown server",
    "500 unknown server",
    "502 unknown server",
  ]);
});

Deno.test("a rate limit carries the seconds we were asked to wait", async () => {
  const outcome = await submitted({
    headers: { "retry-after": "7" },
    body: { code: 429, msg: "Too fast" },
  });
  assertEquals("error" in outcome && outcome.error.retryAfterSeconds, 7);
});

Deno.test("a create goes to createTask with the key, the model's input and our callback URL", async () => {
  const body = { code: 200, msg: "success", data: { taskId: TASK } };
  await withKie({ body }, async (provider, received) => {
    await provider.submit([kieTask({ webhookUrl: "https://project.example/kie-webhook?job=1" })]);
    const [call] = received;
    assertEquals([call?.method, call?.url.pathname], ["POST", "/api/v1/jobs/createTask"]);
    assertEquals(call?.headers.get("authorization"), `Bearer ${KIE_KEY}`);
    assertEquals(call?.headers.get("content-type"), "application/json");
    assertEquals(call?.body, {
      model: "kling-2.6/text-to-video",
      input: {
        prompt: "A duck walks into a pond.",
        duration: "5",
        sound: false,
        aspect_ratio: "16:9",
      },
      callBackUrl: "https://project.example/kie-webhook?job=1",
    });
  });
});

Deno.test("a model that is not in the table is refused without a call", async () => {
  await withKie({ body: {} }, async (provider, received) => {
    const [outcome] = await provider.submit([kieTask({ model: "sora-2-text-to-video" })]);
    assertEquals(outcome?.outcome, "refused");
    assertEquals(outcome && "error" in outcome && outcome.error.kind, "model_off");
    assertEquals(received.length, 0);
  });
});

Deno.test("a create is sent once, also over a kept connection that is closed under it", async () => {
  let creates = 0;
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      if (request.method === "GET") return response.end('{"code":200,"msg":"success","data":1}');
      creates++;
      request.socket.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  try {
    const provider = createKieProvider({ apiKey: KIE_KEY, url: `http://127.0.0.1:${port}` });
    await provider.balanceUsd();
    const [outcome] = await provider.submit([kieTask()]);
    assertEquals([outcome?.outcome, creates], ["unknown", 1]);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

Deno.test("the balance is credits in USD; an answer that tells none is an error, without the key", async () => {
  await withKie({ body: { code: 200, msg: "success", data: 100.5 } }, async (provider) => {
    assertEquals(await provider.balanceUsd(), 0.5025);
  });
  for (
    const body of [
      { code: 401, msg: `No access for ${KIE_KEY}` },
      { code: 200, data: "many" },
      "x",
    ]
  ) {
    await withKie({ body }, async (provider) => {
      const error = await assertRejects(() => provider.balanceUsd(), Error);
      assertEquals(error.message.includes(KIE_KEY), false);
    });
  }
});

Deno.test("an impossible key or address is told at once, and the key is not quoted", () => {
  const error = assertThrows(() => createKieProvider({ apiKey: "a key\n" }), TypeError);
  assertEquals(error.message.includes("a key"), false);
  assertThrows(() => createKieProvider({ apiKey: "key", url: "nowhere" }), TypeError, "nowhere");
});
