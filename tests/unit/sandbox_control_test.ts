import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  DEFAULT_KNOBS,
  KnobError,
  SANDBOX_API_KEY,
  startRunwareSandbox,
} from "../../local/sandbox/runware.ts";
import { GOOD_VIDEO, withSandbox } from "../support/runware_sandbox.ts";

Deno.test("knobs are turned at the start, in process and over HTTP, and are all shown", async () => {
  await withSandbox({ knobs: { renderMs: 1 } }, async (client, { control }) => {
    assertEquals(control.config(), { ...DEFAULT_KNOBS, renderMs: 1 });
    control.configure({ manual: true });
    const { status, body } = await client.control("POST", "config", { lostAck: { next: 2 } });
    assertEquals(status, 200);
    assertEquals(body, { ...DEFAULT_KNOBS, renderMs: 1, manual: true, lostAck: { next: 2 } });
    assertEquals((await client.control("GET", "config")).body, body);
  });
});

Deno.test("an unknown knob is refused with the names there are, and nothing is turned", async () => {
  await withSandbox({}, async (client, { control }) => {
    const { status, body } = await client.control("POST", "config", { renderMs: 1, lostAk: 1 });
    assertEquals(status, 400);
    assertEquals(body, {
      error: 'There is no knob "lostAk"',
      field: "lostAk",
      allowed: Object.keys(DEFAULT_KNOBS),
    });
    assertEquals(control.config(), DEFAULT_KNOBS);
  });
});

Deno.test("a wrong value is refused with what the knob takes", async () => {
  await withSandbox({}, async (client) => {
    for (
      const [knob, value] of [
        ["renderMs", "soon"],
        ["renderMs", -1],
        ["lostAck", 1.5],
        ["lostAck", { next: -1 }],
        ["lostAck", { next: 1, on: "sundays" }],
        ["failTasks", { next: 1, on: "poll" }],
        ["unknownId", "silence"],
        ["expiredStatus", 200],
        ["manual", null],
      ] as const
    ) {
      const { status, body } = await client.control("POST", "config", { [knob]: value });
      assertEquals([status, body["field"]], [400, knob]);
      assert(`${body["error"]}`.startsWith(`Knob "${knob}" cannot be ${JSON.stringify(value)}`));
    }
    for (const body of [[], "text", undefined]) {
      assertEquals((await client.control("POST", "config", body)).status, 400);
    }
  });
});

Deno.test("a sandbox does not start with a knob that does not exist", async () => {
  const knobs = JSON.parse('{"lostAk": 1}');
  await assertRejects(() => startRunwareSandbox({ knobs }), KnobError);
});

Deno.test("a sandbox does not start on a port that is taken", async () => {
  await withSandbox({}, async (_client, { port }) => {
    await assertRejects(() => startRunwareSandbox({ port }), Error, "EADDRINUSE");
  });
});

Deno.test("the control API over HTTP has the operations of the control object", async () => {
  await withSandbox({ knobs: { manual: true } }, async (client, { control }) => {
    const [one, two] = [await client.submit(), await client.submit()];
    const finished = await client.control("POST", `tasks/${one.taskUUID}/finish`);
    assertEquals([finished.status, finished.body["status"]], [200, "success"]);
    const why = { code: "timeoutProvider", message: "Slow." };
    const failed = await client.control("POST", `tasks/${two.taskUUID}/fail`, why);
    assertEquals(failed.body["errorCode"], "timeoutProvider");
    const shown = await client.control("GET", `tasks/${one.taskUUID}`);
    assertEquals(JSON.stringify(shown.body), JSON.stringify(control.task(one.taskUUID)));
    const state = await client.control("GET", "state");
    assertEquals(JSON.stringify(state.body), JSON.stringify(control.state()));
    assertEquals((await client.control("POST", `tasks/${one.taskUUID}/expire`)).status, 200);
    assertEquals((await client.control("POST", `tasks/${one.taskUUID}/webhook`)).status, 200);
    assertEquals((await client.control("POST", "advance", { ms: 5 })).status, 200);
    assertEquals((await client.control("POST", "advance", { ms: "5" })).status, 400);
    assertEquals((await client.control("POST", "reset")).body["tasks"], []);
  });
});

Deno.test("what the control API does not have is refused with what it has", async () => {
  await withSandbox({}, async (client) => {
    for (
      const [method, path] of [["GET", "nothing"], ["GET", "reset"], ["POST", "state"]] as const
    ) {
      const { status, body } = await client.control(method, path);
      assertEquals([status, Array.isArray(body["allowed"])], [404, true]);
    }
    const id = crypto.randomUUID();
    assertEquals(await client.control("POST", `tasks/${id}/finish`), {
      status: 404,
      body: { error: `The sandbox has no task "${id}"` },
    });
  });
});

Deno.test("a reset forgets tasks, ids, counts and knobs", async () => {
  await withSandbox({ knobs: { renderMs: 1 } }, async (client, { control }) => {
    const { taskUUID } = await client.submit();
    control.configure({ manual: true });
    control.reset();
    assertEquals(control.state(), {
      counts: Object.fromEntries(Object.keys(control.state().counts).map((name) => [name, 0])),
      webhooksPending: 0,
      balanceUsd: DEFAULT_KNOBS.balanceUsd,
      tasks: [],
    });
    assertEquals(control.config().manual, false);
    assertEquals((await client.submit({ taskUUID })).status, 200);
  });
});

Deno.test("finish and fail change nothing about a task that has ended", async () => {
  await withSandbox({ knobs: { manual: true } }, async (client, { control }) => {
    const { taskUUID } = await client.submit();
    const ended = control.finish(taskUUID);
    assertEquals(control.fail(taskUUID), ended);
    assertEquals(control.finish(taskUUID), ended);
    assertThrows(() => control.finish("nobody"), Error, 'no task "nobody"');
  });
});

Deno.test("settled can be asked for before the task is submitted", async () => {
  await withSandbox({ knobs: { renderMs: 5 } }, async (client, { control }) => {
    const taskUUID = crypto.randomUUID();
    const settled = control.settled(taskUUID);
    await client.submit({ taskUUID });
    assertEquals((await settled).status, "success");
    assertEquals((await control.settled(taskUUID)).status, "success");
  });
});

Deno.test("whoever waits is told when the sandbox closes", async () => {
  const sandbox = await startRunwareSandbox();
  const waiting = [
    sandbox.control.settled(crypto.randomUUID()),
    sandbox.control.waitFor(() => false),
  ].map((wait) => assertRejects(() => wait, Error, "The sandbox was closed"));
  await sandbox.close();
  await Promise.all(waiting);
});

Deno.test("the defaults are a provider that works, with a key of its own", async () => {
  await withSandbox({}, (_client, sandbox) => {
    assertEquals(sandbox.apiKey, SANDBOX_API_KEY);
    assertEquals(sandbox.url, `http://127.0.0.1:${sandbox.port}/v1`);
    assertEquals(sandbox.wsUrl, `ws://127.0.0.1:${sandbox.port}/v1`);
    assertEquals(sandbox.controlUrl, `http://127.0.0.1:${sandbox.port}/__sandbox`);
    return Promise.resolve();
  });
});

Deno.test("F26 ten thousand tasks are submitted, polled in batches of 50 and ended", async () => {
  const options = { now: () => 0, knobs: { renderMs: 60_000, renderSpread: 0 } };
  await withSandbox(options, async (client, { control }) => {
    const batches = Array.from(
      { length: 200 },
      () => Array.from({ length: 50 }, () => crypto.randomUUID()),
    );
    for (const batch of batches) {
      await client.post(batch.map((taskUUID) => ({ ...GOOD_VIDEO, taskUUID })));
    }
    const sweep = async () => {
      const states = new Set<unknown>();
      for (const batch of batches) {
        for (const item of (await client.poll(...batch)).data) states.add(item["status"]);
      }
      return [...states];
    };
    assertEquals(await sweep(), ["processing"]);
    control.advance(60_000);
    assertEquals(await sweep(), ["success"]);
    const { tasksAccepted, pollPosts, getResponses } = control.state().counts;
    assertEquals([tasksAccepted, pollPosts, getResponses], [10_000, 400, 20_000]);
  });
});
