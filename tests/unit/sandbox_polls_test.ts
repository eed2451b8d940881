import { assert, assertEquals } from "@std/assert";
import { withSandbox } from "../support/runware_sandbox.ts";

/** A clock that moves only when it is told to. */
const frozen = () => 1_800_000_000_000;

Deno.test("progress follows the clock and the end comes in its time", async () => {
  const knobs = { renderMs: 10_000, renderSpread: 0 };
  await withSandbox({ now: frozen, knobs }, async (client, { control }) => {
    const { taskUUID } = await client.submit();
    const item = async () => (await client.poll(taskUUID)).data[0] ?? {};
    const processing = { taskType: "videoInference", taskUUID, status: "processing" };
    assertEquals(await item(), { ...processing, progress: 0 });
    control.advance(4_200);
    assertEquals(await item(), { ...processing, progress: 42 });
    control.advance(5_799);
    assertEquals(await item(), { ...processing, progress: 99 });
    control.advance(1);
    const { videoUUID, videoURL, seed, ...rest } = await item();
    assertEquals(rest, { taskType: "videoInference", taskUUID, status: "success", cost: 0.1495 });
    assertEquals(typeof seed, "number");
    assertEquals(`${videoURL}`.endsWith(`/media/${videoUUID}.mp4`), true);
    assertEquals(control.task(taskUUID)?.endedAt, frozen() + 10_000);
  });
});

Deno.test("cost is told only where it was asked for", async () => {
  await withSandbox({ knobs: { manual: true } }, async (client, { control }) => {
    const { taskUUID } = await client.submit({ includeCost: false });
    control.finish(taskUUID);
    assertEquals("cost" in ((await client.poll(taskUUID)).data[0] ?? {}), false);
    assertEquals(control.task(taskUUID)?.cost, 0.1495);
  });
});

Deno.test("one poll answers for many tasks, each in its own state", async () => {
  await withSandbox({ knobs: { manual: true } }, async (client, { control }) => {
    const ids = (await Promise.all([1, 2, 3].map(() => client.submit()))).map((a) => a.taskUUID);
    const [running = "", done = "", failed = ""] = ids;
    control.finish(done);
    control.fail(failed, "timeoutProvider", "Too slow.");
    const { status, data, errors } = await client.poll(...ids);
    assertEquals(status, 200);
    assertEquals(data.map((item) => [item["taskUUID"], item["status"]]), [
      [running, "processing"],
      [done, "success"],
    ]);
    assertEquals(errors.map(({ documentation: _, ...error }) => error), [{
      code: "timeoutProvider",
      message: "Too slow.",
      status: "error",
      taskType: "videoInference",
      taskUUID: failed,
    }]);
    assertEquals(control.state().counts.pollPosts, 1);
    assertEquals(control.state().counts.getResponses, 3);
  });
});

Deno.test("several results are finished one after another, in a stable order", async () => {
  const knobs = { renderMs: 9_000, renderSpread: 0 };
  await withSandbox({ now: frozen, knobs }, async (client, { control }) => {
    const { taskUUID } = await client.submit({ numberResults: 3 });
    const states = async () => (await client.poll(taskUUID)).data.map((item) => item["status"]);
    assertEquals(await states(), ["processing", "processing", "processing"]);
    control.advance(3_000);
    assertEquals(await states(), ["success", "processing", "processing"]);
    control.advance(6_000);
    assertEquals(await states(), ["success", "success", "success"]);
    assertEquals(control.task(taskUUID)?.cost, 0.4485);
  });
});

Deno.test("a failed task can be told in each form and with another status", async () => {
  await withSandbox({ knobs: { manual: true } }, async (client, { control }) => {
    const { taskUUID } = await client.submit();
    control.fail(taskUUID, "providerError", "No luck.");
    control.configure({ failedPollStatus: 400 });
    assertEquals((await client.poll(taskUUID)).status, 400);
    const item = { taskType: "videoInference", taskUUID, status: "error" };
    const why = { code: "providerError", message: "No luck." };
    control.configure({ failureForm: "item" });
    const nested = await client.poll(taskUUID);
    assertEquals([nested.status, nested.data], [200, [{ ...item, error: why }]]);
    control.configure({ failureForm: "flatItem" });
    assertEquals((await client.poll(taskUUID)).data, [{ ...item, ...why }]);
  });
});

Deno.test("items in progress and receipts come in each form that was seen", async () => {
  await withSandbox({ knobs: { manual: true } }, async (client, { control }) => {
    const { taskUUID } = await client.submit();
    const item = async () => (await client.poll(taskUUID)).data[0] ?? {};
    control.configure({ processingForm: "getResponse", sendProgress: false });
    assertEquals(await item(), { taskType: "getResponse", taskUUID, status: "processing" });
    control.finish(taskUUID);
    control.configure({ receiptForm: "noStatus" });
    assertEquals("status" in await item(), false);
    control.configure({ receiptForm: "media" });
    const media = await item();
    assertEquals([typeof media["mediaURL"], "videoURL" in media], ["string", false]);
  });
});

Deno.test("an id that was never accepted is answered as the knob says", async () => {
  await withSandbox({}, async (client, { control }) => {
    const id = crypto.randomUUID();
    assertEquals((await client.poll(id)).data[0]?.["status"], "processing");
    control.configure({ unknownId: "empty" });
    const empty = await client.poll(id);
    assertEquals([empty.status, empty.data, empty.errors], [200, [], []]);
    control.configure({ unknownId: "taskNotFound" });
    const missing = await client.poll(id);
    assertEquals([missing.status, missing.errors[0]?.["code"]], [404, "taskNotFound"]);
  });
});

Deno.test("a task is forgotten by polls after its time, but its id stays used", async () => {
  const knobs = { renderMs: 0, forgetAfterMs: 60_000, unknownId: "taskNotFound" } as const;
  await withSandbox({ now: frozen, knobs }, async (client, { control }) => {
    const { taskUUID } = await client.submit();
    control.advance(59_999);
    assertEquals((await client.poll(taskUUID)).data[0]?.["status"], "success");
    control.advance(1);
    assertEquals((await client.poll(taskUUID)).errors[0]?.["code"], "taskNotFound");
    assertEquals((await client.submit({ taskUUID })).errors[0]?.["code"], "conflictTaskUUID");
  });
});

Deno.test("getTaskDetails tells the request and only the last thing said about it", async () => {
  await withSandbox({ knobs: { manual: true } }, async (client, { control }) => {
    const details = async (taskUUID: string) =>
      await client.post([{ taskType: "getTaskDetails", taskUUID }]);
    const response = async (taskUUID: string) =>
      JSON.stringify((await details(taskUUID)).data[0]?.["response"]);
    const { taskUUID } = await client.submit();
    assert(!(await response(taskUUID)).includes("videoURL"));
    control.finish(taskUUID);
    assert((await response(taskUUID)).includes("videoURL"));
    await client.submit({ taskUUID });
    assert((await response(taskUUID)).includes("conflictTaskUUID"));
    assert(!(await response(taskUUID)).includes("videoURL"));
    assertEquals((await details(crypto.randomUUID())).errors[0]?.["code"], "taskNotFound");
  });
});

Deno.test("items may be left out of an answer, and come in any order", async () => {
  const knobs = { manual: true, unansweredPolls: { next: 1 } };
  await withSandbox({ knobs }, async (client, { control }) => {
    const ids = (await Promise.all(Array.from({ length: 20 }, () => client.submit())))
      .map((answer) => answer.taskUUID);
    const told = async () => (await client.poll(...ids)).data.map((item) => item["taskUUID"]);
    assertEquals((await told()).length, 19);
    assertEquals(await told(), ids);
    control.configure({ shuffledReplies: true });
    const shuffled = await told();
    assertEquals(shuffled.toSorted(), ids.toSorted());
    assert(shuffled.some((id, i) => id !== ids[i]));
  });
});
