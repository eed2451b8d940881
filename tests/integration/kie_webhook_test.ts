/** The door of KIE's callbacks: our token, KIE's signature, and a body that is never believed. */
import { assertEquals } from "@std/assert";
import { type Answer, call, queued, work } from "../support/app.ts";
import { until } from "../support/until.ts";
import { muchLater, polled, rowCounts, stored } from "../support/by_hand.ts";
import { newestJob, passTime, videoOf } from "../support/fixtures.ts";
import {
  assertEndedUnknown,
  bought,
  type KieScene,
  kieTaskOf,
  withKieScene,
} from "../support/kie_scene.ts";
import { kieSignatureHeaders } from "../support/kie_signature.ts";
import { eventCount, tokenOf } from "../support/webhooks.ts";

const KEY = "the key of KIE's console";
const SIGNED = { functionsEnv: { KIE_WEBHOOK_HMAC_KEY: KEY } };

/** A callback as somebody may send it; what is absent is true. */
interface Callback {
  readonly job: string;
  readonly token: string;
  readonly taskId: string;
  readonly body: string;
  readonly key: string;
  /** How long ago it was signed, in seconds. */
  readonly age: number;
}

async function send(app: KieScene["app"], { job, token, taskId, body, key, age }: Callback) {
  return await call(app, `kie-webhook?job=${job}&token=${token}`, {
    headers: kieSignatureHeaders({ taskId, key, at: Date.now() - age * 1_000 }),
    body,
  });
}

/** What KIE posts about a task that ended well. */
function success(taskId: string, file = "https://tempfile.aiquickdraw.com/forged.mp4"): string {
  const resultJson = JSON.stringify({ resultUrls: [file] });
  return JSON.stringify({ code: 200, msg: "ok", data: { taskId, state: "success", resultJson } });
}

/** Hands a video over. Answers how its true callback would look. */
async function handedOver({ app, kie, customer }: KieScene) {
  const videoId = await queued(app, customer);
  await work(app, "submit-videos");
  const taskId = await kieTaskOf({ app, kie, customer }, videoId);
  const job = (await newestJob(app.db, videoId)).id;
  const token = await tokenOf(app, job);
  const callback: Callback = { job, token, taskId, body: success(taskId), key: KEY, age: 0 };
  return { videoId, callback };
}

/** What the operator is told of the one outcome that nobody knows. */
async function lostTask({ app }: KieScene) {
  const [row] = await app.db.query(
    "select provider_task_id as task, provider_state as state from public.unknown_outcomes",
  );
  return row;
}

const wordOf = ({ status, body }: Answer) => `${status} ${body["code"] ?? ""}`.trim();

Deno.test("F13 kie: a callback needs our token and KIE's true and fresh signature over its task; else 401, nothing recorded", () =>
  withKieScene(SIGNED, async (scene) => {
    const { app } = scene;
    const { callback } = await handedOver(scene);
    const before = await rowCounts(app);
    const wrong: readonly Partial<Callback>[] = [
      { token: "" },
      { token: "0".repeat(64) },
      { job: crypto.randomUUID() },
      { key: "another key" },
      { taskId: "another task" },
      { body: success("another task") },
      { body: "not JSON" },
      { body: "{}" },
      { age: 400 },
      { age: -400 },
    ];
    for (const change of wrong) {
      const answer = await send(app, { ...callback, ...change });
      assertEquals(wordOf(answer), "401 unauthorized", JSON.stringify(change));
    }
    const { job, token, body } = callback;
    const unsigned = await call(app, `kie-webhook?job=${job}&token=${token}`, { body });
    assertEquals(wordOf(unsigned), "401 unauthorized");
    assertEquals(await rowCounts(app), before);
    assertEquals(wordOf(await send(app, callback)), "200");
    assertEquals(await eventCount(app), 1);
  }));

Deno.test("F16 kie: a replay within the window is taken and changes nothing", () =>
  withKieScene(SIGNED, async (scene) => {
    const { app } = scene;
    const { callback } = await handedOver(scene);
    for (const age of [0, 1, 200]) {
      assertEquals(wordOf(await send(app, { ...callback, age })), "200");
    }
    assertEquals(await eventCount(app), 1);
  }));

Deno.test("F13 kie: a signed success that is not true completes nothing; the poll that it rings for does not confirm it", () =>
  withKieScene(SIGNED, async (scene) => {
    const { app, kie } = scene;
    const { videoId, callback } = await handedOver(scene);
    assertEquals(wordOf(await send(app, callback)), "200");
    await work(app, "poll-videos");
    assertEquals(kie.control.state().counts.polls, 1, "it was due at once");
    await work(app, "store-videos");
    assertEquals((await videoOf(app.db, videoId)).status, "processing");

    kie.control.finish(callback.taskId);
    await polled(app);
    await stored(app);
    assertEquals((await videoOf(app.db, videoId)).status, "completed");
    assertEquals(kie.control.state().counts.mediaGets, 1, "the file is that of the record");
  }));

Deno.test("F13 kie: nor is a forged word believed while a new task's record cannot be seen yet", () =>
  withKieScene({ ...SIGNED, knobs: { hiddenMs: 3_600_000 } }, async (scene) => {
    const { app, kie } = scene;
    const { videoId, callback } = await handedOver(scene);
    assertEquals(wordOf(await send(app, callback)), "200");
    await work(app, "poll-videos");
    assertEquals(kie.control.state().counts.polls, 1);
    kie.control.configure({ hiddenMs: 0 });
    kie.control.finish(callback.taskId);
    await polled(app);
    await stored(app);
    assertEquals((await videoOf(app.db, videoId)).status, "completed");
  }));

Deno.test("kie: a finished task whose record is gone: its callback's word counts", () =>
  withKieScene({ ...SIGNED, knobs: { forgetAfterMs: 0 } }, async (scene) => {
    const { app, kie } = scene;
    const { videoId, callback } = await handedOver(scene);
    kie.control.finish(callback.taskId);
    const body = success(callback.taskId, `${kie.url}/media/${callback.taskId}.mp4`);
    assertEquals(wordOf(await send(app, { ...callback, body })), "200");
    await polled(app);
    assertEquals((await videoOf(app.db, videoId)).stage, "analyzing", "it may yet be shown");
    await polled(app);
    await stored(app);
    assertEquals((await videoOf(app.db, videoId)).status, "completed");
  }));

Deno.test("F17 kie: a callback that comes before its create is answered waits for the answer, which tells the id to ask about", () =>
  withKieScene(
    {
      ...SIGNED,
      webhooks: "on",
      knobs: { callbackKey: KEY, callbackBeforeAck: 1, slowReplyMs: 1_500 },
    },
    async (scene) => {
      const { app, kie, customer } = scene;
      const videoId = await queued(app, customer);
      const submitting = work(app, "submit-videos");
      await until("the callback was taken", async () => await eventCount(app) === 1 || undefined);
      await work(app, "poll-videos");
      await submitting;
      // Due at once: no time has to pass.
      await work(app, "poll-videos");
      await work(app, "store-videos");
      assertEquals((await videoOf(app.db, videoId)).status, "completed");
      assertEquals([bought(scene), kie.control.state().counts.polls], [1, 1]);
    },
  ));

Deno.test("kie: a worker dies over a create and the callback arrives: nobody asks under an id of ours, and nothing is bought twice", () =>
  withKieScene({ ...SIGNED, webhooks: "on", knobs: { callbackKey: KEY } }, async (scene) => {
    const { app, kie, customer } = scene;
    const videoId = await queued(app, customer);
    kie.control.configure({ hungAck: { next: 1 } });
    const worker = work(app, "submit-videos").catch(() => "died");
    await until("KIE has the task", () => Promise.resolve(bought(scene) === 1 || undefined));
    kie.control.finishAll();
    await kie.control.waitFor(({ callbacksDelivered }) => callbacksDelivered === 1);
    await app.functions.restart();
    await worker;
    await passTime(app.db, "2 minutes");
    await work(app, "poll-videos");
    assertEquals(kie.control.state().counts.polls, 0);
    await muchLater(scene);
    assertEquals(bought(scene), 1);
    await assertEndedUnknown(scene, videoId);
    assertEquals((await lostTask(scene))?.["task"], kie.control.state().tasks[0]?.taskId);
  }));

for (const deleted of ["kept", "deleted"] as const) {
  Deno.test(`kie: the callback of a create whose answer was lost names the task to the operator, and nobody else; its video is ${deleted}`, () =>
    withKieScene({ ...SIGNED, webhooks: "on", knobs: { callbackKey: KEY } }, async (scene) => {
      const { app, kie, customer } = scene;
      const videoId = await queued(app, customer);
      kie.control.configure({ lostAck: { next: 1 } });
      await work(app, "submit-videos");
      assertEquals(await lostTask(scene), { task: null, state: null });
      if (deleted === "deleted") {
        await customer.client.rpc("delete_videos", { p_video_ids: [videoId] });
      }
      kie.control.finishAll();
      await kie.control.waitFor(({ callbacksDelivered }) => callbacksDelivered === 1);
      const [task] = kie.control.state().tasks;
      assertEquals(await lostTask(scene), { task: task?.taskId, state: "succeeded" });
      await muchLater(scene);
      assertEquals(bought(scene), 1);
      if (deleted === "kept") await assertEndedUnknown(scene, videoId);
    }));
}

Deno.test("kie: without a key in our environment the token alone is asked for", () =>
  withKieScene({}, async (scene) => {
    const { app } = scene;
    const { callback } = await handedOver(scene);
    const { job, token, body } = callback;
    const unsigned = (token: string) =>
      call(app, `kie-webhook?job=${job}&token=${token}`, { body });
    assertEquals(wordOf(await unsigned("")), "401 unauthorized");
    assertEquals(wordOf(await unsigned(token)), "200");
    assertEquals(await eventCount(app), 1);
  }));

Deno.test("kie: the sandbox's own signed callback arrives, and another provider's job is not known here", () =>
  withKieScene(
    { ...SIGNED, webhooks: "on", knobs: { callbackKey: KEY } },
    async (scene) => {
      const { app, kie } = scene;
      const { videoId, callback } = await handedOver(scene);
      kie.control.finish(callback.taskId);
      await kie.control.waitFor(({ callbacksDelivered }) => callbacksDelivered === 1);
      await work(app, "poll-videos");
      await work(app, "store-videos");
      assertEquals((await videoOf(app.db, videoId)).status, "completed");

      const events = await eventCount(app);
      const { job, token, body } = callback;
      const elsewhere = await call(app, `runware-webhook?job=${job}&token=${token}`, { body });
      assertEquals([elsewhere.status, await eventCount(app)], [200, events]);
    },
  ));
