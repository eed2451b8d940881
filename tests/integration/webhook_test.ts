import { assert, assertEquals } from "@std/assert";
import { type Answer, call, newCustomer, over, queued, withApp, work } from "../support/app.ts";
import {
  byHand,
  delivered,
  functionsEnv,
  type HandStack,
  polled,
  rowCounts,
  stored,
  submitted,
  tokenOf,
} from "../support/by_hand.ts";
import {
  brokenInvariants,
  jobsOf,
  newestJob,
  passTime,
  value,
  videoOf,
} from "../support/fixtures.ts";
import { webhookToken } from "../../shared/http/webhook_token.ts";

/** Rings as Runware would: no key, no JWT, a token in the URL. */
function ring(
  app: HandStack,
  { job, token, body = "{}" }: { job: string; token: string; body?: BodyInit },
): Promise<Answer> {
  return call(app, `runware-webhook?job=${job}&token=${token}`, { body });
}

/** What Runware posts about a task that ended well. */
const success = (taskUUID: string, videoURL = "https://vm.runware.ai/video/forged.mp4") =>
  JSON.stringify({
    data: [{
      taskType: "videoInference",
      taskUUID,
      status: "success",
      videoUUID: taskUUID,
      videoURL,
    }],
  });

const events = (app: HandStack) =>
  value(app.db, "select count(*)::int as value from public.provider_events");

Deno.test("F13 no token, a wrong one or another job's: 401, nothing recorded, nothing due; F12 the right one needs no JWT", async () => {
  await byHand({}, async (app) => {
    const customer = await newCustomer(app);
    const [videoId, otherId] = [await queued(app, customer), await queued(app, customer)];
    const job = await submitted(app, videoId);
    const other = (await newestJob(app.db, otherId)).id;
    const token = await tokenOf(app, job);
    const before = [await rowCounts(app), await newestJob(app.db, videoId)];
    const bad = [
      "",
      "0".repeat(64),
      token.slice(1),
      token + token,
      token.toUpperCase(),
      await tokenOf(app, other),
      await webhookToken("another secret of thirty-two signs", job),
    ];
    for (const wrong of bad) {
      const answer = await ring(app, { job, token: wrong, body: success(job) });
      assertEquals([answer.status, answer.body["code"]], [401, "unauthorized"], wrong);
    }
    const places = ["", `?token=${token}`, `?job=${job}`, `?job=x&token=${token}`, `?job=&token=`];
    for (const place of places) {
      assertEquals((await call(app, `runware-webhook${place}`, { body: "{}" })).status, 401, place);
    }
    assertEquals([await rowCounts(app), await newestJob(app.db, videoId)], before);

    const real = await ring(app, { job, token, body: success(job) });
    assertEquals([real.status, real.body], [200, { success: true }]);
    assertEquals(await events(app), 1);

    const unknown = crypto.randomUUID();
    const answer = await ring(app, { job: unknown, token: await tokenOf(app, unknown) });
    assertEquals([answer.status, answer.body], [200, { success: true }]);
    assertEquals(await events(app), 1);
    const log = await Deno.readTextFile(`${app.dataDir}/stack.log`);
    assert(log.includes(`"video_job_id":"${unknown}","known":false`));
  });
});

Deno.test("F13 F18 a success that only the webhook speaks of completes nothing, and no user can read the token it needs", async () => {
  await byHand({}, async (app) => {
    const customer = await newCustomer(app);
    const videoId = await queued(app, customer);
    const job = await submitted(app, videoId);
    const token = await tokenOf(app, job);
    assertEquals((await ring(app, { job, token, body: success(job) })).status, 200);
    // The event made it due: no time has to pass for the poller to ask.
    await work(app, "poll-videos");
    assertEquals(app.sandbox.control.state().counts.getResponses, 1);
    await work(app, "store-videos");
    assertEquals((await videoOf(app.db, videoId)).status, "processing");
    assertEquals(app.sandbox.control.state().counts.mediaGets, 0);

    const tables = [
      "users",
      "children",
      "gem_entries",
      "videos",
      "video_progress",
      "notifications",
    ];
    for (const table of tables) {
      const seen = JSON.stringify((await customer.client.from(table).select("*")).data);
      assert(!seen.includes(token) && !seen.includes(job), table);
    }
    assert((await customer.client.from("video_jobs").select("*")).error);
  });
});

Deno.test("F16 a webhook that comes ten times at once is recorded once; another body is another event", async () => {
  await byHand({}, async (app) => {
    const job = await submitted(app, await queued(app, await newCustomer(app)));
    const token = await tokenOf(app, job);
    const ten = Array.from({ length: 10 }, () => ring(app, { job, token, body: success(job) }));
    assertEquals((await Promise.all(ten)).map(({ status }) => status), ten.map(() => 200));
    assertEquals(await events(app), 1);
    await ring(app, { job, token, body: success(job, "https://vm.runware.ai/video/b.mp4") });
    assertEquals(await events(app), 2);
  });
});

Deno.test("F33 a late webhook for a cancelled, failed or completed video changes nothing", async () => {
  await byHand({}, async (app) => {
    const customer = await newCustomer(app);
    const [failed, cancelled, completed] = [
      await queued(app, customer),
      await queued(app, customer),
      await queued(app, customer),
    ];
    await delivered(app, completed);
    await stored(app);
    app.sandbox.control.fail((await newestJob(app.db, failed)).id, "invalidPositivePrompt", "No");
    await polled(app);
    await customer.client.functions.invoke("cancel-video", { body: { video_id: cancelled } });
    const ids = [failed, cancelled, completed];
    const states = await Promise.all(ids.map(async (id) => (await videoOf(app.db, id)).status));
    assertEquals(states, ["failed", "cancelled", "completed"]);

    const everything = () =>
      app.db.query(`select (select jsonb_agg(v order by v.id) from public.videos v) as videos,
        (select jsonb_agg(j order by j.id) from public.video_jobs j) as jobs,
        (select jsonb_agg(e order by e.id) from public.gem_entries e) as entries,
        (select jsonb_agg(n order by n.id) from public.notifications n) as notices`);
    const before = await everything();
    for (const id of ids) {
      const { id: job } = await newestJob(app.db, id);
      const token = await tokenOf(app, job);
      const failure = JSON.stringify({ errors: [{ code: "providerError", taskUUID: job }] });
      for (const body of [success(job), failure]) {
        assertEquals((await ring(app, { job, token, body })).status, 200);
      }
    }
    for (const name of ["poll-videos", "store-videos", "maintain"] as const) await work(app, name);
    assertEquals(await everything(), before);
    assertEquals(await events(app), 6);
  });
});

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
      success(job).replace("[", "{").replace("]", "}"),
    ];
    for (const body of bodies) {
      const { status } = await ring(app, { job, token, body });
      assertEquals(status, 200, String(body).slice(0, 60));
    }
    assertEquals((await ring(app, { job, token, body: new Uint8Array([0xff, 0xfe]) })).status, 400);
    const large = await ring(app, { job, token, body: "x".repeat(300_000) });
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
  await byHand({ webhooks: "on", sandbox: { knobs } }, async (app) => {
    const customer = await newCustomer(app);
    const [told, untold] = [await queued(app, customer), await queued(app, customer)];
    await work(app, "submit-videos");
    app.sandbox.control.finish((await newestJob(app.db, told)).id);
    await app.sandbox.control.waitFor(({ counts }) => counts.webhooksDelivered === 1);
    app.sandbox.control.configure({ webhookLost: 1 });
    app.sandbox.control.finish((await newestJob(app.db, untold)).id);

    await work(app, "poll-videos");
    assertEquals((await videoOf(app.db, told)).status, "rendering", "no grace where there is word");
    await passTime(app.db, "2 minutes");
    await polled(app);
    await stored(app);
    assertEquals((await videoOf(app.db, told)).status, "completed");
    const attempts = (await jobsOf(app.db, untold)).map(({ status }) => status);
    assertEquals([attempts[0], attempts.length], ["failed", 2]);
  });
});

Deno.test("F17 a result that comes before the submit is answered is taken, and is due at once", async () => {
  const knobs = { webhookBeforeAck: 1, renderMs: 0 };
  await byHand({ webhooks: "on", sandbox: { knobs } }, async (app) => {
    const videoId = await queued(app, await newCustomer(app));
    await submitted(app, videoId);
    assertEquals(await events(app), 1);
    await work(app, "poll-videos");
    await work(app, "store-videos");
    assertEquals((await videoOf(app.db, videoId)).status, "completed");
    assertEquals(app.sandbox.control.state().counts.tasksAccepted, 1);
  });
});

Deno.test("webhooks alone complete videos in every form and order they come in", async () => {
  const settings = { poll_steps: [100_000] };
  const sandbox = { knobs: { renderMs: 100, webhookLateMs: 400 } };
  await withApp({ cron: false, settings, sandbox }, async (app) => {
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

Deno.test("F14 a replaced secret is accepted beside the new one until it is removed; without one the function does not start", async () => {
  await byHand({}, async (app) => {
    const job = await submitted(app, await queued(app, await newCustomer(app)));
    const token = await tokenOf(app, job);
    const { RUNWARE_WEBHOOK_SECRET: old = "", ...env } = await functionsEnv(app);
    const fresh = "a fresh secret that is long enough, too";
    const tried = async (change: Record<string, string>) => {
      await app.functions.restart({ ...env, ...change });
      const tokens = [token, await webhookToken(fresh, job), ""];
      const answers = await Promise.all(tokens.map((token) => ring(app, { job, token })));
      return answers.map(({ status }) => status);
    };
    const both = { RUNWARE_WEBHOOK_SECRET: fresh, RUNWARE_WEBHOOK_SECRET_PREVIOUS: old };
    assertEquals(await tried(both), [200, 200, 401]);
    assertEquals(await tried({ RUNWARE_WEBHOOK_SECRET: fresh }), [401, 200, 401]);
    for (
      const change of [{}, { RUNWARE_WEBHOOK_SECRET: "" }, { RUNWARE_WEBHOOK_SECRET: "short" }]
    ) {
      assertEquals(await tried(change), [503, 503, 503]);
    }
    assertEquals(await events(app), 1);
  });
});
