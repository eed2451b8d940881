/** KIE through the whole stack: doors, workers, database, storage, and the sandbox at the end. */
import { assert, assertEquals } from "@std/assert";
import { newCustomer, over, queued, withApp, work } from "../support/app.ts";
import { until } from "../support/until.ts";
import { muchLater, polled, stored } from "../support/by_hand.ts";
import {
  brokenInvariants,
  jobsOf,
  newestJob,
  passTime,
  value,
  videoOf,
} from "../support/fixtures.ts";
import {
  assertEndedUnknown,
  bought,
  gemsLeft,
  type KieScene,
  kieTaskOf,
  madeByKie,
  withKieScene,
} from "../support/kie_scene.ts";

const statusOf = async ({ app }: KieScene, videoId: string) =>
  (await videoOf(app.db, videoId)).status;

const pauseOf = ({ app }: KieScene) =>
  value(app.db, "select pause_reason as value from app.providers where name = 'kie'");

Deno.test("kie: by polling alone a video is handed over, rendered, stored and charged once, and its cost is known", () =>
  withKieScene({}, async (scene) => {
    const { app, kie } = scene;
    const videoId = await queued(app, scene.customer);
    await work(app, "submit-videos");
    await polled(app);
    assertEquals((await videoOf(app.db, videoId)).stage, "generating");
    kie.control.finish(await kieTaskOf(scene, videoId));
    await polled(app);
    await stored(app);
    assertEquals(await statusOf(scene, videoId), "completed");
    const { id } = await newestJob(app.db, videoId);
    const cost = "select cost_usd::float8 as value from public.video_jobs where id = $1";
    assertEquals(await value(app.db, cost, [id]), 0.25);
    const { tasks, counts } = kie.control.state();
    assertEquals([tasks[0]?.callBackUrl, counts.callbacksSent], [null, 0]);
    assertEquals([bought(scene), await gemsLeft(scene)], [1, 0]);
  }));

Deno.test("kie: by callbacks alone videos complete, lost in no form they come in", async () => {
  const kie = {
    knobs: { renderMs: 100, queueMs: 0, hiddenMs: 0, callbackKey: "the console's key" },
  };
  const functionsEnv = { KIE_WEBHOOK_HMAC_KEY: "the console's key" };
  const settings = { poll_steps: [100_000] };
  await withApp({ cron: false, settings, kie, functionsEnv }, async (app) => {
    await madeByKie(app);
    const customer = await newCustomer(app, { gems: 100 });
    const ways = [
      { callbackForm: "market" },
      { callbackForm: "veo" },
      { callbackDoubled: 1 },
      { callbackForged: 1 },
      { callbackBeforeAck: 1 },
      { resultForm: "resultJson" },
    ] as const;
    for (const way of ways) {
      app.providers.kie.sandbox?.control.reset();
      app.providers.kie.sandbox?.control.configure(way);
      const videoId = await queued(app, customer);
      assertEquals(await over(app, [videoId]), ["completed"], JSON.stringify(way));
      assertEquals(app.providers.kie.sandbox?.control.state().counts.accepted, 1);
    }
    assertEquals(await brokenInvariants(app.db), []);
  });
});

for (const fault of ["lostAck", "lateServerError", "emptyAck", "badJson"] as const) {
  Deno.test(`kie: a create whose answer is lost (${fault}) is never sent again: refunded, and told to the operator`, () =>
    withKieScene({}, async (scene) => {
      const { app, kie } = scene;
      // Over a connection that was used before, which a runtime would repeat a request on.
      const first = await queued(app, await newCustomer(app));
      await work(app, "submit-videos");
      assertEquals([bought(scene), await statusOf(scene, first)], [1, "processing"]);

      kie.control.configure({ [fault]: { next: 1 } });
      const videoId = await queued(app, scene.customer);
      await work(app, "submit-videos");
      await muchLater(scene);
      assertEquals([bought(scene), kie.control.state().counts.creates], [2, 2]);
      await assertEndedUnknown(scene, videoId);
      const told = "select count(*)::int as value from public.unknown_outcomes";
      assertEquals(await value(app.db, told), 1);
    }));
}

Deno.test("kie: a worker that dies while a create is under way buys nothing twice", () =>
  withKieScene({}, async (scene) => {
    const { app, kie, customer } = scene;
    const videoId = await queued(app, customer);
    kie.control.configure({ hungAck: { next: 1 } });
    const worker = work(app, "submit-videos").catch(() => "died");
    await until("KIE has the task", () => Promise.resolve(bought(scene) === 1 || undefined));
    await app.functions.restart();
    await worker;
    await muchLater(scene);
    assertEquals([bought(scene), kie.control.state().counts.creates], [1, 1]);
    await assertEndedUnknown(scene, videoId);
  }));

Deno.test("kie: turned away for pace, empty account, key or maintenance, a video waits and is bought once", () =>
  withKieScene({}, async (scene) => {
    const { app, kie, customer } = scene;
    const videoId = await queued(app, customer);
    const faults = [
      ["rateLimit", "429"],
      ["insufficientCredits", "402"],
      ["keyCap", "433"],
      ["unauthorized", "401"],
      ["maintenance", "455"],
    ] as const;
    for (const [fault, code] of faults) {
      kie.control.configure({ [fault]: { next: 1, on: "submit" } });
      await work(app, "submit-videos");
      assertEquals([bought(scene), await pauseOf(scene)], [0, code]);
      assertEquals(await statusOf(scene, videoId), "queued");
      await passTime(app.db, "6 minutes");
    }
    await work(app, "submit-videos");
    assertEquals((await jobsOf(app.db, videoId)).map(({ status }) => status), ["processing"]);
    assertEquals(bought(scene), 1);
  }));

Deno.test("kie: a record that is null is waited for 90 seconds; then it may have been bought, and is not bought again", () =>
  withKieScene({ knobs: { hiddenMs: 3_600_000 } }, async (scene) => {
    const { app, kie, customer } = scene;
    const videoId = await queued(app, customer);
    await work(app, "submit-videos");
    await polled(app);
    assertEquals((await jobsOf(app.db, videoId)).map(({ status }) => status), ["processing"]);
    kie.control.configure({ hiddenMs: 0 });
    await polled(app);
    assertEquals((await videoOf(app.db, videoId)).stage, "generating");

    kie.control.configure({ hiddenMs: 3_600_000 });
    await polled(app);
    await muchLater(scene);
    assertEquals(bought(scene), 1);
    await assertEndedUnknown(scene, videoId);
    const told = "select provider_task_id as value from public.unknown_outcomes";
    assertEquals(await value(app.db, told), await kieTaskOf(scene, videoId));
  }));

Deno.test("kie: refused content fails at once and is refunded; an engine's failure is tried anew", () =>
  withKieScene({}, async (scene) => {
    const { app, kie, customer } = scene;
    const videoId = await queued(app, customer);
    await work(app, "submit-videos");
    kie.control.configure({ failureForm: "code" });
    kie.control.fail(await kieTaskOf(scene, videoId), "501", "Generation failed");
    await polled(app);
    assertEquals(await statusOf(scene, videoId), "queued");
    await passTime(app.db, "1 minute");
    await work(app, "submit-videos");
    kie.control.configure({ failureForm: "record" });
    kie.control.fail(await kieTaskOf(scene, videoId), "400", "Your prompt was flagged by policy");
    await polled(app);
    const { status, error_code, error_message } = await videoOf(app.db, videoId);
    assertEquals([status, error_code], ["failed", "content_refused"]);
    assert(!String(error_message).includes("flagged"));
    assertEquals([bought(scene), await gemsLeft(scene)], [2, 10]);
  }));

Deno.test("F21 kie: a link that is dead for good ends in a refund, and nothing is bought again for it", () =>
  withKieScene({}, async (scene) => {
    const { app, kie, customer } = scene;
    const videoId = await queued(app, customer);
    await work(app, "submit-videos");
    const task = await kieTaskOf(scene, videoId);
    kie.control.finish(task);
    await polled(app);
    kie.control.expire(task);
    for (let tries = 0; tries < 12 && await statusOf(scene, videoId) !== "failed"; tries++) {
      await passTime(app.db, "3 minutes");
      await work(app, "store-videos");
      await work(app, "maintain");
    }
    assertEquals([await statusOf(scene, videoId), bought(scene)], ["failed", 1]);
    assertEquals(await gemsLeft(scene), 10);
  }));
