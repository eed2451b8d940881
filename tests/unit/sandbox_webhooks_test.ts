import { assert, assertEquals } from "@std/assert";
import type { KnobChanges, RunwareSandbox } from "../../local/sandbox/runware.ts";
import {
  type Receiver,
  type SandboxClient,
  withReceiver,
  withSandbox,
} from "../support/runware_sandbox.ts";

const QUICK = { manual: true, webhookBackoffMs: 1, webhookBackoffCapMs: 4 } as const;

async function withWebhooks(
  { knobs = {}, statuses = [] }: { knobs?: KnobChanges; statuses?: readonly number[] },
  use: (client: SandboxClient, receiver: Receiver, sandbox: RunwareSandbox) => Promise<void>,
): Promise<void> {
  await withReceiver(statuses, async (receiver) => {
    await withSandbox(
      { knobs: { ...QUICK, ...knobs } },
      (client, sandbox) => use(client, receiver, sandbox),
    );
  });
}

Deno.test("the end of a task is told at its webhookURL, wrapped as a poll would be", async () => {
  await withWebhooks({}, async (client, { url, bodies }, { control }) => {
    const { taskUUID } = await client.submit({ webhookURL: url });
    control.finish(taskUUID);
    await control.waitFor(({ counts }) => counts.webhooksDelivered === 1);
    assertEquals(bodies, [{ data: (await client.poll(taskUUID)).data }]);
  });
});

Deno.test("a failure is told in errors", async () => {
  await withWebhooks({}, async (client, { url, bodies }, { control }) => {
    const { taskUUID } = await client.submit({ webhookURL: url });
    control.fail(taskUUID, "providerError");
    await control.waitFor(({ counts }) => counts.webhooksDelivered === 1);
    assertEquals(bodies, [{ errors: (await client.poll(taskUUID)).errors }]);
  });
});

Deno.test("webhooks can be flat, or have both keys", async () => {
  await withWebhooks({}, async (client, { url, bodies }, { control }) => {
    for (const webhookForm of ["flat", "mixed"] as const) {
      control.configure({ webhookForm });
      const { taskUUID } = await client.submit({ webhookURL: url });
      control.finish(taskUUID);
      await control.waitFor(({ webhooksPending }) => webhooksPending === 0);
    }
    assertEquals(bodies[0]?.["status"], "success");
    assertEquals(bodies[1]?.["errors"], []);
  });
});

Deno.test("a webhook is tried again until it is taken", async () => {
  await withWebhooks({ statuses: [500, 401] }, async (client, { url, bodies }, { control }) => {
    const { taskUUID } = await client.submit({ webhookURL: url });
    control.finish(taskUUID);
    await control.waitFor(({ counts }) => counts.webhooksDelivered === 1);
    assertEquals(bodies.length, 3);
    assertEquals(control.state().counts.webhooksSent, 3);
    assertEquals(control.state().webhooksPending, 0);
  });
});

Deno.test("a webhook that nobody takes is given up after its last try", async () => {
  const statuses = Array.from({ length: 10 }, () => 503);
  await withWebhooks({ statuses }, async (client, { url, bodies }, { control }) => {
    const { taskUUID } = await client.submit({ webhookURL: url });
    control.finish(taskUUID);
    await control.waitFor(({ counts }) => counts.webhooksDropped === 1);
    assertEquals(bodies.length, 6);
  });
});

Deno.test("the pauses between tries double from 250 ms up to 8 s, with jitter", async () => {
  const statuses = Array.from({ length: 10 }, () => 503);
  await withReceiver(statuses, async ({ url }) => {
    const options = { now: () => 0, knobs: { manual: true, webhookTries: 8 } };
    await withSandbox(options, async (client, { control }) => {
      const { taskUUID } = await client.submit({ webhookURL: url });
      control.finish(taskUUID);
      let failed = 0;
      for (const pause of [250, 500, 1_000, 2_000, 4_000, 8_000, 8_000]) {
        await control.waitFor(({ counts }) => counts.webhooksFailed === failed + 1);
        control.advance(pause * 0.74);
        assertEquals(control.state().counts.webhooksSent, failed + 1);
        control.advance(pause * 0.52);
        failed++;
      }
      await control.waitFor(({ counts }) => counts.webhooksDropped === 1);
    });
  });
});

Deno.test("webhooks are lost, doubled and sent late as often as asked", async () => {
  const knobs = { webhookLost: { next: 1 }, webhookDoubled: { next: 1 } };
  await withWebhooks({ knobs }, async (client, { url, bodies }, { control }) => {
    const [lost, doubled] = [
      await client.submit({ webhookURL: url }),
      await client.submit({ webhookURL: url }),
    ];
    control.finish(lost.taskUUID);
    control.finish(doubled.taskUUID);
    await control.waitFor(({ counts }) => counts.webhooksDelivered === 2);
    assertEquals(bodies[0], bodies[1]);
    assert(JSON.stringify(bodies[0]).includes(doubled.taskUUID));
    assertEquals(control.state().counts.webhooksDropped, 1);
  });
});

Deno.test("a late webhook comes after its time", async () => {
  const knobs = { webhookLate: { next: 1 }, webhookLateMs: 60_000 };
  await withWebhooks({ knobs }, async (client, { url, bodies }, { control }) => {
    const { taskUUID } = await client.submit({ webhookURL: url });
    control.finish(taskUUID);
    assertEquals(control.state().webhooksPending, 1);
    assertEquals(bodies, []);
    control.advance(60_000);
    await control.waitFor(({ counts }) => counts.webhooksDelivered === 1);
  });
});

Deno.test("a reordered webhook comes after the one behind it", async () => {
  const knobs = { webhookReordered: { next: 1 }, webhookLateMs: 60_000 };
  await withWebhooks({ knobs }, async (client, { url, bodies }, { control }) => {
    const [first, second] = [
      await client.submit({ webhookURL: url }),
      await client.submit({ webhookURL: url }),
    ];
    control.finish(first.taskUUID);
    control.finish(second.taskUUID);
    await control.waitFor(({ counts }) => counts.webhooksDelivered === 2);
    assert(JSON.stringify(bodies[0]).includes(second.taskUUID));
    assert(JSON.stringify(bodies[1]).includes(first.taskUUID));
  });
});

Deno.test("F17 a webhook can come before the submit is answered", async () => {
  await withWebhooks({ knobs: { webhookBeforeAck: 1 } }, async (client, { url, bodies }) => {
    const { status, taskUUID } = await client.submit({ webhookURL: url });
    assertEquals(status, 200);
    assert(JSON.stringify(bodies[0]).includes(taskUUID));
  });
});

Deno.test("F13 a forged success names a file elsewhere while the task is still rendered", async () => {
  const knobs = { webhookForged: 1, renderMs: 10_000 };
  await withWebhooks({ knobs }, async (client, { url, bodies }, { control }) => {
    const { taskUUID } = await client.submit({ webhookURL: url });
    control.advance(6_001);
    await control.waitFor(({ counts }) => counts.webhooksDelivered === 1);
    assert(JSON.stringify(bodies[0]).includes("https://forged.example.net/"));
    assertEquals((await client.poll(taskUUID)).data[0]?.["status"], "processing");
  });
});

Deno.test("any webhook can be sent by hand", async () => {
  await withWebhooks({}, async (client, { url, bodies }, { control }) => {
    const { taskUUID } = await client.submit({ webhookURL: url });
    await control.webhook(taskUUID);
    await control.webhook(taskUUID, { hello: true });
    assertEquals(JSON.stringify(bodies[0]).includes("processing"), true);
    assertEquals(bodies[1], { hello: true });
  });
});

Deno.test("several results are told one by one", async () => {
  await withWebhooks({}, async (client, { url, bodies }, { control }) => {
    const { taskUUID } = await client.submit({ webhookURL: url, numberResults: 3 });
    control.finish(taskUUID);
    await control.waitFor(({ counts }) => counts.webhooksDelivered === 3);
    assertEquals(new Set(bodies.map((body) => JSON.stringify(body))).size, 3);
  });
});

Deno.test("a receiver that hangs is given up after its time and tried again", async () => {
  const never = Promise.withResolvers<Response>();
  let calls = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    calls++;
    return calls === 1 ? never.promise : new Response();
  });
  const knobs = { ...QUICK, webhookTimeoutMs: 50 };
  await withSandbox({ knobs }, async (client, { control }) => {
    const webhookURL = `http://127.0.0.1:${server.addr.port}/`;
    const { taskUUID } = await client.submit({ webhookURL });
    control.finish(taskUUID);
    await control.waitFor(({ counts }) => counts.webhooksDelivered === 1);
    assertEquals(calls, 2);
  });
  never.resolve(new Response());
  await server.shutdown();
});
