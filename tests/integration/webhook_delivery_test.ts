import { assertEquals } from "@std/assert";
import { newCustomer, over, queued, withApp, work } from "../support/app.ts";
import { byHand, delivered, polled, stored, submitted } from "../support/by_hand.ts";
import { brokenInvariants, jobsOf, newestJob, passTime, videoOf } from "../support/fixtures.ts";
import { eventCount, postWebhook, successOf, tokenOf } from "../support/webhooks.ts";

Deno.test("whatever the body is, the webhook never answers 5xx and the video still completes", async () => {
  await byHand({}, async (app) => {
    const videoId = await queued(app, await newCustomer(app));
    const job = await submitted(app, videoId);
    const token = await tokenOf(app, job);
    const deep = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
    const bodies: BodyInit[] = [
      ...["", "not JSON", "null", "true", "42", "1e400", '"text"', "[]", '[1,null,"x",{}]', "{"],
      ...['{"a":"\u0000"}', '{"a":"\\u0000"}', '{"a\\u0000b":1}', '{"a":"\\\\u0000"}', "\u0000"],
      // Taking the inner NUL out must not make an outer one.
      '{"a":"\\u00\\u000000"}',
      ...['{"a":"\\ud800"}', '{"\\udc00":1}', '"\\ud800"', '{"a":"\\ud83d\\ude00"}'],
      ...[deep(500), deep(7_000), deep(100_000), `{"data":${deep(20_000)}}`],
      `{"data":{"taskUUID":7,"status":[],"videoURL":{}},"errors":"none","error":{"code":null}}`,
      '{"__proto__":{"known":true},"constructor":1}',
      successOf(job).replace("[", "{").replace("]", "}"),
    ];
    for (const body of [...bodies, new Uint8Array([0xff, 0xfe])]) {
      const { status } = await postWebhook(app, { job, token, body });
      assertEquals(status, 200, String(body).slice(0, 60));
    }
    const large = await postWebhook(app, { job, token, body: "x".repeat(300_000) });
    assertEquals([large.status, large.body["code"]], [413, "body_too_large"]);

    // The events speak of a task the provider has forgotten: each of them is read, none believed.
    app.sandbox.control.configure({ unknownId: "taskNotFound", forgetAfterMs: 0 });
    await delivered(app, videoId);
    assertEquals((await videoOf(app.db, videoId)).status, "processing");
    app.sandbox.control.configure({ forgetAfterMs: null });
    await polled(app);
    await stored(app);
    assertEquals((await videoOf(app.db, videoId)).status, "completed");
  });
});

Deno.test("a provider that has forgotten a finished task: its webhook's word counts, and without one the attempt is made again", async () => {
  const knobs = { manual: true, unknownId: "taskNotFound", forgetAfterMs: 0 } as const;
  await byHand({ webhooks: "on", runware: { knobs } }, async (app) => {
    const customer = await newCustomer(app);
    const [told, untold] = [await queued(app, customer), await queued(app, customer)];
    await work(app, "submit-videos");
    app.sandbox.control.finish((await newestJob(app.db, told)).id);
    await app.sandbox.control.waitFor(({ counts }) => counts.webhooksDelivered === 1);
    app.sandbox.control.configure({ webhookLost: 1 });
    app.sandbox.control.finish((await newestJob(app.db, untold)).id);

    await work(app, "poll-videos");
    assertEquals((await videoOf(app.db, told)).status, "processing", "may not be known there yet");
    await passTime(app.db, "2 minutes");
    await polled(app);
    await stored(app);
    assertEquals((await videoOf(app.db, told)).status, "completed");
    assertEquals((await jobsOf(app.db, untold)).length, 1, "one server of theirs may lag behind");
    await polled(app);
    const attempts = (await jobsOf(app.db, untold)).map(({ status }) => status);
    assertEquals([attempts[0], attempts.length], ["failed", 2]);
  });
});

Deno.test("a provider that forgets a finished task and goes on saying nothing of an end: its webhook's word counts at the deadline", async () => {
  const knobs = { manual: true, unknownId: "processing", forgetAfterMs: 0 } as const;
  await byHand({ webhooks: "on", runware: { knobs } }, async (app) => {
    const videoId = await queued(app, await newCustomer(app));
    app.sandbox.control.finish(await submitted(app, videoId));
    await app.sandbox.control.waitFor(({ counts }) => counts.webhooksDelivered === 1);
    await polled(app);
    assertEquals((await videoOf(app.db, videoId)).status, "processing", "not believed before");
    await passTime(app.db, "31 minutes");
    await polled(app);
    await stored(app);
    assertEquals((await videoOf(app.db, videoId)).status, "completed");
    assertEquals(app.sandbox.control.state().counts.tasksAccepted, 1);
  });
});

Deno.test("F13 a forged word names a file elsewhere: not believed at the deadline either, the attempt is made again", async () => {
  await byHand({}, async (app) => {
    const videoId = await queued(app, await newCustomer(app));
    const job = await submitted(app, videoId);
    const token = await tokenOf(app, job);
    const body = successOf(job, "https://forged.example.net/x.mp4");
    assertEquals((await postWebhook(app, { job, token, body })).status, 200);
    await passTime(app.db, "31 minutes");
    await polled(app);
    const attempts = await jobsOf(app.db, videoId);
    assertEquals(attempts.map(({ status }) => status), ["failed", "pending"]);
  });
});

Deno.test("F17 a result that comes before the submit is answered is taken, and is due at once", async () => {
  const knobs = { webhookBeforeAck: 1, renderMs: 0 };
  await byHand({ webhooks: "on", runware: { knobs } }, async (app) => {
    const videoId = await queued(app, await newCustomer(app));
    await submitted(app, videoId);
    assertEquals(await eventCount(app), 1);
    await work(app, "poll-videos");
    await work(app, "store-videos");
    assertEquals((await videoOf(app.db, videoId)).status, "completed");
    assertEquals(app.sandbox.control.state().counts.tasksAccepted, 1);
  });
});

Deno.test("webhooks alone complete videos in every form and order they come in", async () => {
  const settings = { poll_steps: [100_000] };
  const runware = { knobs: { renderMs: 100, webhookLateMs: 400 } };
  await withApp({ cron: false, settings, runware }, async (app) => {
    const customer = await newCustomer(app, { gems: 1000 });
    const ways = [
      { webhookForm: "wrapped" },
      { webhookForm: "flat" },
      { webhookForm: "mixed" },
      { webhookLate: 1 },
      { webhookReordered: { next: 1 } },
      { webhookDoubled: 1 },
      { webhookBeforeAck: 1 },
      { webhookForged: 1 },
    ] as const;
    for (const way of ways) {
      app.sandbox?.control.reset();
      app.sandbox?.control.configure(way);
      const ids = [await queued(app, customer), await queued(app, customer)];
      assertEquals(await over(app, ids), ["completed", "completed"], JSON.stringify(way));
    }
    assertEquals(await brokenInvariants(app.db), []);
  });
});
