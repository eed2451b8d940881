import { assertEquals, assertNotEquals } from "@std/assert";
import { z } from "zod";
import {
  type RunwayKnobChanges,
  type RunwaySandbox,
  startRunwaySandbox,
} from "../../local/sandbox/runway.ts";

const GOOD = {
  model: "gen4.5",
  promptText: "A smiling sun",
  ratio: "1280:720",
  duration: 5,
} as const;
const taskBody = z.looseObject({
  id: z.string(),
  status: z.string(),
  output: z.array(z.string()).optional(),
  progress: z.number().optional(),
});

/** Runs the work against a sandbox in which time stands still unless it is moved. */
async function withStill(
  knobs: RunwayKnobChanges,
  work: (sandbox: RunwaySandbox) => Promise<void>,
) {
  const sandbox = await startRunwaySandbox({ knobs, now: () => 1_800_000_000_000 });
  try {
    await work(sandbox);
  } finally {
    await sandbox.close();
  }
}

function ask(sandbox: RunwaySandbox, method: string, path: string, body?: unknown, headers = {}) {
  return fetch(`${sandbox.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${sandbox.apiKey}`,
      "x-runway-version": "2024-11-06",
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function create(sandbox: RunwaySandbox, more = {}): Promise<string> {
  const response = await ask(sandbox, "POST", "/v1/text_to_video", { ...GOOD, ...more });
  return z.object({ id: z.uuid() }).parse(await response.json()).id;
}

async function look(sandbox: RunwaySandbox, id: string) {
  return taskBody.parse(await (await ask(sandbox, "GET", `/v1/tasks/${id}`)).json());
}

/** The status of an answer whose body nobody needs. */
async function statusOf(answer: Promise<Response>): Promise<number> {
  const response = await answer;
  await response.body?.cancel();
  return response.status;
}

Deno.test("runway sandbox: a task walks from PENDING over RUNNING to SUCCEEDED", () =>
  withStill({ pendingMs: 500, renderMs: 4_000 }, async (sandbox) => {
    const id = await create(sandbox);
    assertEquals((await look(sandbox, id)).status, "PENDING");
    sandbox.control.advance(1_500);
    const running = await look(sandbox, id);
    assertEquals([running.status, running.progress], ["RUNNING", 0.25]);
    sandbox.control.advance(3_000);
    assertEquals((await look(sandbox, id)).status, "SUCCEEDED");
  }));

Deno.test("runway sandbox: above its concurrency a model's tasks are THROTTLED, in order", () =>
  withStill({ pendingMs: 0, concurrency: 1, manual: true }, async (sandbox) => {
    const ids = [await create(sandbox), await create(sandbox), await create(sandbox)];
    const other = await create(sandbox, { model: "veo3.1", duration: 8 });
    const statuses = () =>
      Promise.all([...ids, other].map(async (id) => (await look(sandbox, id)).status));
    assertEquals(await statuses(), ["RUNNING", "THROTTLED", "THROTTLED", "RUNNING"]);
    sandbox.control.finish(ids[0] ?? "");
    assertEquals(await statuses(), ["SUCCEEDED", "RUNNING", "THROTTLED", "RUNNING"]);
    assertEquals(await statusOf(ask(sandbox, "DELETE", `/v1/tasks/${ids[1]}`)), 204);
    assertEquals((await look(sandbox, ids[2] ?? "")).status, "RUNNING");
  }));

Deno.test("runway sandbox: both headers are needed, and paths and methods are held to", () =>
  withStill({}, async (sandbox) => {
    const status = (...call: Parameters<typeof ask>) => statusOf(ask(...call));
    const path = "/v1/text_to_video";
    assertEquals(await status(sandbox, "POST", path, GOOD, { "x-runway-version": "" }), 400);
    assertEquals(await status(sandbox, "POST", path, GOOD, { authorization: "" }), 401);
    assertEquals(await status(sandbox, "GET", path), 405);
    assertEquals(await status(sandbox, "GET", "/v1/nothing"), 404);
    assertEquals(await status(sandbox, "GET", `/v1/tasks/${crypto.randomUUID()}`), 404);
    assertEquals(sandbox.control.state().counts.accepted, 0);
  }));

Deno.test("runway sandbox: a wrong body is refused by field", () =>
  withStill({}, async (sandbox) => {
    for (
      const [changes, field] of [
        [{ duration: 11 }, "duration"],
        [{ ratio: "16:9" }, "ratio"],
        [{ promptText: "x".repeat(1_001) }, "promptText"],
        [{ model: "gen9" }, "model"],
        [{ model: "gen4_turbo" }, "model"],
      ] as const
    ) {
      const response = await ask(sandbox, "POST", "/v1/text_to_video", { ...GOOD, ...changes });
      const { issues } = z.object({
        issues: z.array(z.object({ path: z.array(z.string()) })),
      }).parse(await response.json());
      assertEquals([response.status, issues[0]?.path], [400, [field]]);
    }
    const picture = { ...GOOD, promptImage: "http://127.0.0.1/x.png" };
    assertEquals(await statusOf(ask(sandbox, "POST", "/v1/image_to_video", picture)), 400);
  }));

Deno.test("runway sandbox: a link dies, and asking again brings a living one", () =>
  withStill({ pendingMs: 0, renderMs: 0, urlTtlMs: 60_000 }, async (sandbox) => {
    const id = await create(sandbox);
    sandbox.control.advance(1);
    const [first = ""] = (await look(sandbox, id)).output ?? [];
    assertEquals(await statusOf(fetch(first)), 200);
    sandbox.control.advance(60_000);
    assertEquals(await statusOf(fetch(first)), 403);
    const [second = ""] = (await look(sandbox, id)).output ?? [];
    assertNotEquals(second, first);
    const file = await fetch(second, { headers: { range: "bytes=4-7" } });
    assertEquals([file.status, await file.text()], [206, "ftyp"]);
  }));

Deno.test("runway sandbox: videos are charged when made, moderation too, other failures not", () =>
  withStill({ pendingMs: 0, renderMs: 0, creditBalance: 1_000 }, async (sandbox) => {
    const balance = () => sandbox.control.state().creditBalance;
    await create(sandbox);
    sandbox.control.advance(1);
    assertEquals(balance(), 940);
    sandbox.control.configure({ failTasks: { next: 1 } });
    const failed = await create(sandbox);
    sandbox.control.advance(1);
    assertEquals([(await look(sandbox, failed)).status, balance()], ["FAILED", 940]);
    sandbox.control.configure({ safetyFailure: { next: 1 } });
    await create(sandbox);
    sandbox.control.advance(1);
    assertEquals(balance(), 880);
    assertEquals(sandbox.control.state().tasks.at(-1)?.failureCode, "SAFETY.INPUT.TEXT");
  }));

Deno.test("runway sandbox: above the day's limit creates are refused, until a day has passed", () =>
  withStill({ dailyLimit: 1 }, async (sandbox) => {
    await create(sandbox);
    assertEquals(await statusOf(ask(sandbox, "POST", "/v1/text_to_video", GOOD)), 429);
    sandbox.control.advance(24 * 3_600_000);
    await create(sandbox);
  }));

Deno.test("runway sandbox: a lost answer is a task that exists", () =>
  withStill({ lostAck: { next: 1 } }, async (sandbox) => {
    const body = new Blob([JSON.stringify(GOOD)]);
    await fetch(`${sandbox.url}/v1/text_to_video`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${sandbox.apiKey}`,
        "x-runway-version": "2024-11-06",
      },
      body,
    }).then(() => Promise.reject(new Error("There was an answer")), () => {});
    assertEquals(sandbox.control.state().counts.accepted, 1);
  }));

Deno.test("runway sandbox: the control works over HTTP too, and refuses what it does not know", () =>
  withStill({ manual: true }, async (sandbox) => {
    const control = (method: string, path: string, body?: unknown) =>
      fetch(`${sandbox.controlUrl}${path}`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    const id = await create(sandbox);
    assertEquals(await statusOf(control("POST", `/tasks/${id}/finish`)), 200);
    assertEquals((await look(sandbox, id)).status, "SUCCEEDED");
    assertEquals(await statusOf(control("POST", "/config", { renderMs: 1 })), 200);
    assertEquals(await statusOf(control("POST", "/config", { nonsense: 1 })), 400);
    assertEquals(await statusOf(control("POST", `/tasks/${crypto.randomUUID()}/finish`)), 404);
    assertEquals(await statusOf(control("POST", "/nothing")), 404);
    assertEquals(await statusOf(control("POST", "/reset")), 200);
    const { tasks } = z.object({ tasks: z.array(z.unknown()) })
      .parse(await (await control("GET", "/state")).json());
    assertEquals(tasks, []);
  }));
