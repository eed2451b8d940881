import { assertEquals, assertRejects } from "@std/assert";
import { z } from "zod";
import {
  type KieSandbox,
  type KieSandboxOptions,
  startKieSandbox,
} from "../../local/sandbox/kie.ts";
import { isSignedByKie } from "../../shared/providers/kie/signature.ts";

const GOOD = {
  model: "kling-2.6/text-to-video",
  input: { prompt: "A duck", duration: "5", aspect_ratio: "16:9", sound: false },
};
const envelope = z.object({ code: z.number(), msg: z.string(), data: z.unknown().optional() });
const created = z.object({ taskId: z.string() });

interface Client {
  readonly sandbox: KieSandbox;
  create(changes?: object): Promise<{ status: number; code: number; taskId: string }>;
  record(taskId: string): Promise<{ status: number; code: number; data: Record<string, unknown> }>;
  control(method: "GET" | "POST", path: string, body?: unknown): Promise<Response>;
}

async function withSandbox(
  options: KieSandboxOptions,
  work: (client: Client) => Promise<void>,
): Promise<void> {
  const sandbox = await startKieSandbox(options);
  const headers = { authorization: `Bearer ${sandbox.apiKey}` };
  const client: Client = {
    sandbox,
    async create(changes = {}) {
      const response = await fetch(`${sandbox.url}/api/v1/jobs/createTask`, {
        method: "POST",
        headers,
        body: JSON.stringify({ ...GOOD, ...changes }),
      });
      const { code, data } = envelope.parse(await response.json());
      return { status: response.status, code, taskId: created.safeParse(data).data?.taskId ?? "" };
    },
    async record(taskId) {
      const url = `${sandbox.url}/api/v1/jobs/recordInfo?taskId=${taskId}`;
      const response = await fetch(url, { headers });
      const { code, data } = envelope.parse(await response.json());
      const record = z.record(z.string(), z.unknown()).safeParse(data).data ?? {};
      return { status: response.status, code, data: record };
    },
    control: (method, path, body) =>
      fetch(`${sandbox.controlUrl}/${path}`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
  };
  try {
    await work(client);
  } finally {
    await sandbox.close();
  }
}

/** Time that stands still until it is moved. */
const STILL = { now: () => 1_795_000_000_000 };

Deno.test("sandbox of KIE: a record is null at first, then waiting, queuing, generating, success", async () => {
  await withSandbox(STILL, async ({ sandbox: { control, url }, create, record }) => {
    const { status, code, taskId } = await create();
    assertEquals([status, code, /^[0-9a-f]{32}$/.test(taskId)], [200, 200, true]);
    assertEquals((await record(taskId)).code, 422);
    control.configure({ hiddenMs: 0 });
    const states: unknown[] = [];
    for (const ms of [0, 250, 250, 6_000]) {
      control.advance(ms);
      states.push((await record(taskId)).data["state"]);
    }
    assertEquals(states, ["waiting", "queuing", "generating", "success"]);
    const { data } = await record(taskId);
    const results = { resultUrls: [`${url}/media/${taskId}.mp4`] };
    assertEquals(data["resultJson"], JSON.stringify(results));
    assertEquals(data["response"], results);
    assertEquals([data["successFlag"], data["creditsConsumed"], data["progress"]], [1, 50, 0]);
    assertEquals(JSON.parse(String(data["param"])), GOOD);
    assertEquals(control.state().credits, 1_000_000 - 50);
  });
});

Deno.test("sandbox of KIE: a record is null again forever once it was forgotten, and for unknown ids", async () => {
  const knobs = { hiddenMs: 0, forgetAfterMs: 1_000 };
  await withSandbox({ ...STILL, knobs }, async ({ sandbox: { control }, create, record }) => {
    const { taskId } = await create();
    control.finish(taskId);
    assertEquals((await record(taskId)).code, 200);
    control.advance(1_000);
    assertEquals([(await record(taskId)).code, (await record("no")).code], [422, 422]);
  });
});

Deno.test("sandbox of KIE: 20 creates in 10 seconds, and what is too fast is not queued", async () => {
  await withSandbox(STILL, async ({ sandbox: { control }, create }) => {
    for (let i = 0; i < 20; i++) assertEquals((await create()).code, 200);
    assertEquals(await create(), { status: 200, code: 429, taskId: "" });
    control.advance(9_999);
    assertEquals((await create()).code, 429);
    control.advance(1);
    assertEquals((await create()).code, 200);
    const { counts } = control.state();
    assertEquals([counts.accepted, counts.tooFast, counts.creates], [21, 2, 23]);
  });
});

Deno.test("sandbox of KIE: every reply has status 200 and its code in the body, unless the switch says otherwise", async () => {
  await withSandbox(STILL, async ({ sandbox: { control, url }, create, record }) => {
    const faults = [
      ["unauthorized", 401],
      ["insufficientCredits", 402],
      ["rateLimit", 429],
      ["keyCap", 433],
      ["maintenance", 455],
      ["serverError", 500],
    ] as const;
    for (const [fault, code] of faults) {
      for (const trueHttpCodes of [false, true]) {
        control.configure({ trueHttpCodes, [fault]: { next: 1 } });
        const answer = await create();
        assertEquals([answer.status, answer.code], [trueHttpCodes ? code : 200, code]);
      }
    }
    assertEquals((await record("none")).status, 422);
    const nowhere = await fetch(`${url}/api/v1/jobs/nothing`);
    assertEquals([nowhere.status, "code" in await nowhere.json()], [404, false]);
    assertEquals(control.state().counts.accepted, 0);
  });
});

Deno.test("sandbox of KIE: inputs are held to their model: names, types and values", async () => {
  await withSandbox({ ...STILL, knobs: { rateMost: 100 } }, async ({ create }) => {
    const { input } = GOOD;
    const wrong = [
      { model: "sora-2-text-to-video" },
      { input: {} },
      { input: { ...input, duration: 5 } },
      { input: { ...input, duration: "7" } },
      { input: { ...input, aspect_ratio: "4:3" } },
      { input: { ...input, colour: "red" } },
      { model: "kling-2.6/image-to-video" },
      { callBackUrl: "nowhere" },
    ];
    for (const changes of wrong) {
      assertEquals((await create(changes)).code, 422, JSON.stringify(changes));
    }
    assertEquals((await create()).code, 200);
  });
});

Deno.test("sandbox of KIE: a lost answer bought a task all the same, and a refused one did not", async () => {
  await withSandbox(STILL, async ({ sandbox: { control }, create }) => {
    control.configure({ lostAck: { next: 1 } });
    await assertRejects(() => create());
    assertEquals(control.state().counts.accepted, 1);
    control.configure({ lateServerError: { next: 1 } });
    assertEquals((await create()).code, 500);
    assertEquals(control.state().counts.accepted, 2);
    control.configure({ refuseTasks: { next: 1 }, refuseCode: 451 });
    assertEquals((await create()).code, 451);
    control.configure({ credits: 49 });
    assertEquals((await create()).code, 402);
    assertEquals(control.state().counts.accepted, 2);
  });
});

Deno.test("sandbox of KIE: renders fail in the record or by the answer's code, and cost nothing", async () => {
  const knobs = { hiddenMs: 0, failTasks: 1, failCode: "422", failMessage: "No" };
  await withSandbox({ ...STILL, knobs }, async ({ sandbox: { control }, create, record }) => {
    const { taskId } = await create();
    control.advance(7_000);
    const { code, data } = await record(taskId);
    assertEquals(
      [code, data["state"], data["failCode"], data["failMsg"], data["creditsConsumed"]],
      [
        200,
        "fail",
        "422",
        "No",
        0,
      ],
    );
    control.configure({ failureForm: "code" });
    assertEquals((await record(taskId)).code, 501);
    control.configure({ stuckTasks: 1 });
    const stuck = await create();
    control.advance(3_600_000);
    assertEquals((await record(stuck.taskId)).data["state"], "generating");
    assertEquals(control.state().credits, 1_000_000);
  });
});

Deno.test("sandbox of KIE: files play while their link lives", async () => {
  await withSandbox(STILL, async ({ sandbox: { control, url }, create }) => {
    const { taskId } = await create();
    const file = `${url}/media/${taskId}.mp4`;
    const statusOf = async () => {
      const response = await fetch(file);
      await response.body?.cancel();
      return response.status;
    };
    assertEquals(await statusOf(), 404, "not before it is made");
    control.finish(taskId);
    const bytes = await (await fetch(file)).bytes();
    assertEquals(new TextDecoder().decode(bytes.subarray(4, 8)), "ftyp");
    control.advance(24 * 3_600_000);
    assertEquals(await statusOf(), 403);
  });
});

/** What a receiver was sent. */
interface Received {
  readonly headers: Headers;
  readonly body: string;
}

/** Runs `work` with a receiver that answers its nth call with `statuses[n]`, then with 200. */
async function withReceiver(
  statuses: readonly number[],
  work: (url: string, received: readonly Received[]) => Promise<void>,
): Promise<void> {
  const received: Received[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    received.push({ headers: request.headers, body: await request.text() });
    return new Response(null, { status: statuses[received.length - 1] ?? 200 });
  });
  try {
    await work(`http://127.0.0.1:${server.addr.port}/hook`, received);
  } finally {
    await server.shutdown();
  }
}

Deno.test("sandbox of KIE: a callback is tried four times, signed each time once there is a key", async () => {
  const knobs = { callbackKey: "console key", callbackPauseMs: 1 };
  await withReceiver([500, 401, 302], async (callBackUrl, received) => {
    await withSandbox({ knobs }, async ({ sandbox: { control }, create }) => {
      control.finish((await create({ callBackUrl })).taskId);
      await control.waitFor(({ callbacksDelivered }) => callbacksDelivered === 1);
      assertEquals(control.state().counts.callbacksSent, 4);
      for (const { headers, body } of received) {
        const signed = { headers, body, key: "console key", now: Date.now() };
        assertEquals(await isSignedByKie(signed), true);
        assertEquals(await isSignedByKie({ ...signed, key: "another" }), false);
      }
    });
  });
});

Deno.test("sandbox of KIE: a callback that nobody takes is given up", async () => {
  const knobs = { callbackPauseMs: 1 };
  await withReceiver([500, 500, 500, 500], async (callBackUrl, received) => {
    await withSandbox({ knobs }, async ({ sandbox: { control }, create }) => {
      control.finish((await create({ callBackUrl })).taskId);
      await control.waitFor(({ callbacksDropped }) => callbacksDropped === 1);
      assertEquals(received.length, 4);
      assertEquals(received[0]?.headers.get("x-webhook-signature"), null);
    });
  });
});

Deno.test("sandbox of KIE: callbacks are lost, doubled and in the form of Veo when asked", async () => {
  await withReceiver([], async (callBackUrl, received) => {
    await withSandbox({}, async ({ sandbox: { control }, create }) => {
      control.configure({ callbackLost: { next: 1 } });
      control.finish((await create({ callBackUrl })).taskId);
      await control.waitFor(({ callbacksDropped }) => callbacksDropped === 1);
      control.configure({ callbackDoubled: { next: 1 }, callbackForm: "veo" });
      const { taskId } = await create({ callBackUrl });
      control.fail(taskId, "400", "Your prompt was flagged");
      await control.waitFor(({ callbacksDelivered }) => callbacksDelivered === 2);
      const body = {
        code: 400,
        msg: "Your prompt was flagged",
        data: { taskId, fallbackFlag: false },
      };
      assertEquals(received.map(({ body }) => JSON.parse(body)), [body, body]);
    });
  });
});

Deno.test("sandbox of KIE: the control API has the same levers over HTTP", async () => {
  await withSandbox(STILL, async ({ sandbox, create, control }) => {
    const { taskId } = await create();
    const failed = await control("POST", `tasks/${taskId}/fail`, { code: "501" });
    const view = z.object({ state: z.string(), failCode: z.string() });
    assertEquals(view.parse(await failed.json()), { state: "fail", failCode: "501" });
    assertEquals((await (await control("POST", "config", { renderMs: 5 })).json()).renderMs, 5);
    const refused = await control("POST", "config", { colour: "red" });
    assertEquals([refused.status, (await refused.text()).includes("colour")], [400, true]);
    await (await control("POST", "reset")).body?.cancel();
    assertEquals(sandbox.control.state().tasks, []);
    assertEquals((await (await control("GET", "")).json()).operations.length > 5, true);
  });
});
