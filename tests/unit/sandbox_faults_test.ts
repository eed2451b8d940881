import { assert, assertEquals, assertRejects } from "@std/assert";
import { randomUuid, seededRandom } from "../../local/sandbox/random.ts";
import type { KnobChanges } from "../../local/sandbox/runware.ts";
import { GOOD_VIDEO, withSandbox } from "../support/runware_sandbox.ts";

Deno.test("requests fail before they are read as often as asked, and buy nothing", async () => {
  for (
    const [knobs, status, code] of [
      [{ invalidApiKey: { next: 1 } }, 401, "invalidApiKey"],
      [{ insufficientCredits: { next: 1 } }, 402, "insufficientCredits"],
      [{ rateLimit: { next: 1 } }, 429, "rateLimitExceeded"],
      [{ serverError: { next: 1 } }, 500, "internalServerError"],
      [{ noServer: { next: 1 } }, 503, "noAvailableServer"],
    ] as const
  ) {
    await withSandbox({ knobs }, async (client, { control }) => {
      const { taskUUID, ...refused } = await client.submit();
      assertEquals([refused.status, refused.errors[0]?.["code"]], [status, code]);
      assertEquals("taskUUID" in (refused.errors[0] ?? {}), false);
      assertEquals(control.state().counts.tasksAccepted, 0);
      assertEquals((await client.submit({ taskUUID })).status, 200);
    });
  }
});

Deno.test("a 429 may say how long to wait", async () => {
  const knobs = { rateLimit: 1, retryAfterSeconds: 7 };
  await withSandbox({ knobs }, async (client) => {
    const response = await client.raw([{ taskType: "ping" }]);
    assertEquals(response.headers.get("retry-after"), "7");
    await response.body?.cancel();
  });
});

Deno.test("a dropped request buys nothing, a lost ack does", async () => {
  const knobs = { droppedRequest: { next: 1 }, lostAck: { next: 1 } };
  await withSandbox({ knobs }, async (client, { control }) => {
    const taskUUID = crypto.randomUUID();
    await assertRejects(() => client.submit({ taskUUID }), TypeError);
    assertEquals(control.task(taskUUID), undefined);
    await assertRejects(() => client.submit({ taskUUID }), TypeError);
    assertEquals(control.task(taskUUID)?.status, "processing");
    assertEquals((await client.submit({ taskUUID })).errors[0]?.["code"], "conflictTaskUUID");
    assertEquals(control.state().counts.tasksAccepted, 1);
  });
});

Deno.test("each fault after the tasks were accepted leaves them bought", async () => {
  for (
    const [knobs, status, body] of [
      [{ lateServerError: { next: 1 } }, 500, /internalServerError/],
      [{ emptyAck: { next: 1 } }, 200, /^\{"data":\[\]\}$/],
      [{ badJson: { next: 1 } }, 200, /^<!doctype html>/],
    ] as const
  ) {
    await withSandbox({ knobs }, async (client, { control }) => {
      const task = { ...GOOD_VIDEO, taskUUID: crypto.randomUUID() };
      const response = await client.raw([task]);
      assertEquals(response.status, status);
      assert(body.test(await response.text()));
      assertEquals(control.task(task.taskUUID)?.status, "processing");
    });
  }
});

Deno.test("a hung ack is never answered, but bought", async () => {
  await withSandbox({ knobs: { hungAck: { next: 1 } } }, async (client, { control }) => {
    const task = { ...GOOD_VIDEO, taskUUID: crypto.randomUUID() };
    const abort = new AbortController();
    const answer = fetch(client.sandbox.url, {
      method: "POST",
      headers: { authorization: `Bearer ${client.sandbox.apiKey}` },
      body: JSON.stringify([task]),
      signal: abort.signal,
    });
    await control.waitFor(({ counts }) => counts.tasksAccepted === 1);
    abort.abort();
    await assertRejects(() => answer, DOMException);
    assertEquals(control.task(task.taskUUID)?.status, "processing");
  });
});

Deno.test("a fault can be kept to submits or to polls; ack faults are for submits", async () => {
  const knobs: KnobChanges = {
    manual: true,
    serverError: { next: 1, on: "poll" },
    emptyAck: { next: 1 },
    badJson: { probability: 1, on: "poll" },
  };
  await withSandbox({ knobs }, async (client) => {
    const poll = () => client.raw([{ taskType: "getResponse", taskUUID: crypto.randomUUID() }]);
    const failed = await poll();
    assertEquals(failed.status, 500);
    await failed.body?.cancel();
    assertEquals((await (await poll()).text()).startsWith("<!doctype"), true);
    assertEquals((await client.submit()).data, []);
    assertEquals((await client.submit()).data.length, 1);
  });
});

Deno.test("the provider fails twice, then it works", async () => {
  const knobs = { renderMs: 0, failTasks: { next: 2 }, failCode: "providerUnavailable" };
  await withSandbox({ knobs }, async (client, { control }) => {
    const ends: unknown[] = [];
    for (let attempt = 0; attempt < 3; attempt++) {
      const { taskUUID } = await client.submit();
      const { status, errorCode, cost } = await control.settled(taskUUID);
      ends.push([status, errorCode, cost]);
    }
    assertEquals(ends, [
      ["error", "providerUnavailable", null],
      ["error", "providerUnavailable", null],
      ["success", null, 0.1495],
    ]);
  });
});

Deno.test("content is refused at once, or late with the reason in responseContent", async () => {
  const knobs = { renderMs: 0, safetyRefusal: { next: 1 }, lateSafetyRefusal: 1 };
  await withSandbox({ knobs }, async (client, { control }) => {
    const refused = await client.submit();
    assertEquals([refused.status, refused.errors[0]?.["code"]], [400, "contentPolicyViolation"]);
    const { taskUUID } = await client.submit();
    assertEquals((await control.settled(taskUUID)).errorCode, "invalidProviderContent");
    const [error] = (await client.poll(taskUUID)).errors;
    assertEquals(typeof error?.["responseContent"], "string");
  });
});

Deno.test("tasks are refused at once with any code", async () => {
  const knobs = { refuseTasks: 1, refuseCode: "providerInsufficientCredits" };
  await withSandbox({ knobs }, async (client, { control }) => {
    assertEquals((await client.submit()).errors[0]?.["code"], "providerInsufficientCredits");
    assertEquals(control.state().counts.tasksAccepted, 0);
  });
});

Deno.test("a stuck task is rendered forever, until the control ends it", async () => {
  const options = { now: () => 0, knobs: { stuckTasks: { next: 1 } } };
  await withSandbox(options, async (client, { control }) => {
    const { taskUUID } = await client.submit();
    control.advance(365 * 24 * 3_600_000);
    assertEquals((await client.poll(taskUUID)).data[0]?.["status"], "processing");
    assertEquals(control.finish(taskUUID).status, "success");
  });
});

Deno.test("a rate of failures is drawn from the seed and the id: the same again", async () => {
  const random = seededRandom("ids");
  const ids = Array.from({ length: 200 }, () => randomUuid(random));
  const outcomes = async (seed: string) => {
    const states: string[] = [];
    const knobs = { renderMs: 1_000, failTasks: 0.3 };
    await withSandbox({ seed, knobs, now: () => 0 }, async (client, { control }) => {
      await client.post(ids.map((taskUUID) => ({ ...GOOD_VIDEO, taskUUID })));
      control.advance(2_000);
      states.push(
        ...control.state().tasks.map(({ status, videoURLs, endedAt }) =>
          `${status} ${endedAt} ${videoURLs[0]?.replace(/.*\//, "")}`
        ),
      );
    });
    return states;
  };
  const [first, again, other] = [await outcomes("a"), await outcomes("a"), await outcomes("b")];
  const failed = first.filter((state) => state.startsWith("error")).length;
  assert(failed > 30 && failed < 90, `${failed} of 200 failed at a rate of 0.3`);
  assertEquals(first, again);
  assert(first.some((state, i) => state !== other[i]));
});
