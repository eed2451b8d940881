import { assertEquals, assertMatch } from "@std/assert";
import { GOOD_VIDEO, withSandbox } from "../support/runware_sandbox.ts";

Deno.test("a good task is acknowledged with its own taskUUID", async () => {
  await withSandbox({}, async (client) => {
    const { status, taskUUID, data, errors } = await client.submit();
    assertEquals({ status, data, errors }, {
      status: 200,
      data: [{ taskType: "videoInference", taskUUID }],
      errors: [],
    });
  });
});

Deno.test("the key may be in the header or in the first task, and must be right", async () => {
  await withSandbox({ apiKey: "good" }, async (client) => {
    const poll = { taskType: "getResponse", taskUUID: crypto.randomUUID() };
    const auth = (apiKey: string) => ({ taskType: "authentication", apiKey });
    assertEquals((await client.post([poll])).status, 200);
    assertEquals((await client.post([auth("good"), poll], { authorization: "" })).status, 200);
    for (
      const refused of [
        await client.post([poll], { authorization: "Bearer bad" }),
        await client.post([auth("bad"), poll], { authorization: "" }),
      ]
    ) {
      assertEquals(refused.status, 401);
      assertEquals(refused.errors[0]?.["code"], "invalidApiKey");
    }
    const missing = await client.post([poll], { authorization: "" });
    assertEquals([missing.status, missing.errors[0]?.["code"]], [401, "missingApiKey"]);
  });
});

Deno.test("a refused key buys nothing", async () => {
  await withSandbox({}, async (client, { control }) => {
    const task = { ...GOOD_VIDEO, taskUUID: crypto.randomUUID() };
    await client.post([task], { authorization: "Bearer bad" });
    assertEquals(control.state().counts.tasksAccepted, 0);
  });
});

Deno.test("what is not an array of tasks is a bad request", async () => {
  await withSandbox({}, async (client) => {
    for (const body of ["not json", "", "{}", "null", "[]", '"text"']) {
      const response = await client.raw(body);
      assertEquals(response.status, 400, body);
      assertMatch(await response.text(), /"errors":\[\{"code":"invalid/);
    }
    const task = await client.post([7]);
    assertEquals([task.status, task.errors[0]?.["code"]], [400, "invalidTask"]);
  });
});

Deno.test("another method or path is refused", async () => {
  await withSandbox({}, async (_client, sandbox) => {
    const get = await fetch(sandbox.url);
    assertEquals([get.status, get.headers.get("allow")], [405, "POST"]);
    await get.body?.cancel();
    const stray = await fetch(new URL("/v2", sandbox.url));
    assertEquals(stray.status, 404);
    await stray.body?.cancel();
  });
});

Deno.test("a taskUUID is good for one task, forever", async () => {
  await withSandbox({ knobs: { renderMs: 0 } }, async (client, { control }) => {
    const { taskUUID } = await client.submit();
    await control.settled(taskUUID);
    const again = await client.submit({ taskUUID });
    assertEquals(again.status, 400);
    assertEquals(again.data, []);
    assertEquals(again.errors[0]?.["code"], "conflictTaskUUID");
    assertEquals(again.errors[0]?.["taskUUID"], taskUUID);
    assertEquals(again.errors[0]?.["context"], {
      taskType: "videoInference",
      taskUUID,
      deliveryMethod: "async",
    });
    assertEquals(control.task(taskUUID)?.submissions, 2);
    const { tasksSubmitted, tasksAccepted, conflicts } = control.state().counts;
    assertEquals([tasksSubmitted, tasksAccepted, conflicts], [2, 1, 1]);
  });
});

Deno.test("the same taskUUID twice in one request buys once", async () => {
  await withSandbox({}, async (client, { control }) => {
    const task = { ...GOOD_VIDEO, taskUUID: crypto.randomUUID() };
    const { status, data, errors } = await client.post([task, task]);
    assertEquals([status, data.length, errors[0]?.["code"]], [200, 1, "conflictTaskUUID"]);
    assertEquals(control.state().counts.tasksAccepted, 1);
  });
});

Deno.test("the id of a refused task can be used again, since nothing was bought", async () => {
  await withSandbox({}, async (client) => {
    const { taskUUID, status } = await client.submit({ duration: 7 });
    assertEquals(status, 400);
    assertEquals((await client.submit({ taskUUID })).status, 200);
  });
});

Deno.test("one bad task leaves the others of its request untouched", async () => {
  await withSandbox({}, async (client) => {
    const [good, bad] = [crypto.randomUUID(), crypto.randomUUID()];
    const { status, data, errors } = await client.post([
      { ...GOOD_VIDEO, taskUUID: bad, positivePrompt: "x" },
      { ...GOOD_VIDEO, taskUUID: good },
    ]);
    assertEquals(status, 200);
    assertEquals(data.map((item) => item["taskUUID"]), [good]);
    assertEquals(errors.map((error) => error["taskUUID"]), [bad]);
    assertEquals(errors[0]?.["taskType"], "videoInference");
  });
});

Deno.test("F32 every taskUUID must be a UUID v4", async () => {
  await withSandbox({}, async (client, { control }) => {
    for (
      const taskUUID of ["", "job-1", 7, null, "0191e3a0-1111-7111-8111-111111111111"]
    ) {
      const { status, errors } = await client.submit({ taskUUID });
      assertEquals([status, errors[0]?.["code"]], [400, "invalidTaskUUID"]);
    }
    const { errors } = await client.post([GOOD_VIDEO]);
    assertEquals(errors[0]?.["code"], "missingTaskUUID");
    assertEquals(control.state().counts.tasksAccepted, 0);
  });
});

Deno.test("an unknown task type is refused with those there are", async () => {
  await withSandbox({}, async (client) => {
    const { status, errors } = await client.submit({ taskType: "bakeCake" });
    assertEquals([status, errors[0]?.["code"]], [400, "unsupportedTaskType"]);
    assertEquals(Array.isArray(errors[0]?.["allowedValues"]), true);
  });
});

Deno.test("the account is told with its balance, which only finished videos lower", async () => {
  await withSandbox({ knobs: { manual: true, balanceUsd: 10 } }, async (client, { control }) => {
    const details = async () => {
      const taskUUID = crypto.randomUUID();
      const task = { taskType: "accountManagement", operation: "getDetails", taskUUID };
      return (await client.post([task])).data[0]?.["balance"];
    };
    const [first, second] = [await client.submit(), await client.submit()];
    assertEquals(await details(), 10);
    control.finish(first.taskUUID);
    control.fail(second.taskUUID);
    assertEquals(await details(), 9.8505);
    control.configure({ balanceForm: "object" });
    assertEquals(await details(), { amount: 9.8505, freeBalance: 0, currency: "USD" });
  });
});

Deno.test("a task that the balance cannot pay for is refused with 402", async () => {
  await withSandbox({ knobs: { balanceUsd: 0.1 } }, async (client) => {
    const { status, errors } = await client.submit();
    assertEquals([status, errors[0]?.["code"]], [402, "insufficientCredits"]);
  });
});

Deno.test("uploads give ids that are good as frame images, and models can be searched", async () => {
  await withSandbox({}, async (client) => {
    const ids = { taskUUID: crypto.randomUUID() };
    const image = "https://avatars.example.com/mia.png";
    const { data } = await client.post([
      { taskType: "imageUpload", image, ...ids },
      { taskType: "mediaStorage", operation: "upload", media: image, ...ids },
      { taskType: "modelSearch", search: "kling 2.1", ...ids },
    ]);
    assertEquals(data.map((item) => item["taskType"]), [
      "imageUpload",
      "mediaStorage",
      "modelSearch",
    ]);
    assertEquals(data[2]?.["totalResults"], 3);
    const { status } = await client.submit({
      inputs: { frameImages: [data[0]?.["imageUUID"]] },
      width: undefined,
      height: undefined,
    });
    assertEquals(status, 200);
  });
});
