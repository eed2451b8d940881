import { assert, assertEquals } from "@std/assert";
import { call, newCustomer, queued, work } from "../support/app.ts";
import {
  byHand,
  delivered,
  functionsEnv,
  polled,
  rowCounts,
  stored,
  submitted,
} from "../support/by_hand.ts";
import { newestJob, videoOf } from "../support/fixtures.ts";
import { eventCount, postWebhook, successOf, tokenOf } from "../support/webhooks.ts";
import { webhookToken } from "../../shared/http/webhook_token.ts";

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
      const answer = await postWebhook(app, { job, token: wrong, body: successOf(job) });
      assertEquals([answer.status, answer.body["code"]], [401, "unauthorized"], wrong);
    }
    const places = ["", `?token=${token}`, `?job=${job}`, `?job=x&token=${token}`, `?job=&token=`];
    for (const place of places) {
      assertEquals((await call(app, `runware-webhook${place}`, { body: "{}" })).status, 401, place);
    }
    assertEquals([await rowCounts(app), await newestJob(app.db, videoId)], before);

    const real = await postWebhook(app, { job, token, body: successOf(job) });
    assertEquals([real.status, real.body], [200, { success: true }]);
    assertEquals(await eventCount(app), 1);

    const unknown = crypto.randomUUID();
    const answer = await postWebhook(app, { job: unknown, token: await tokenOf(app, unknown) });
    assertEquals([answer.status, answer.body], [200, { success: true }]);
    assertEquals(await eventCount(app), 1);
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
    // At the provider's own host, so that nothing but the poller's distrust is in its way.
    const body = successOf(job, new URL("/video/forged.mp4", app.sandbox.url).href);
    assertEquals((await postWebhook(app, { job, token, body })).status, 200);
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
    const ten = Array.from(
      { length: 10 },
      () => postWebhook(app, { job, token, body: successOf(job) }),
    );
    assertEquals((await Promise.all(ten)).map(({ status }) => status), ten.map(() => 200));
    assertEquals(await eventCount(app), 1);
    await postWebhook(app, {
      job,
      token,
      body: successOf(job, "https://vm.runware.ai/video/b.mp4"),
    });
    assertEquals(await eventCount(app), 2);
  });
});

Deno.test("a webhook with a true token is taken whatever its bytes are, kept, and its attempt is due", async () => {
  await byHand({}, async (app) => {
    const job = await submitted(app, await queued(app, await newCustomer(app)));
    const body = new Uint8Array([...new TextEncoder().encode(successOf(job)), 0xff, 0xfe]);
    await app.db.query("update public.video_jobs set next_poll_at = now() + interval '1 hour'");
    const answer = await postWebhook(app, { job, token: await tokenOf(app, job), body });
    assertEquals([answer.status, answer.body], [200, { success: true }]);
    assertEquals(await eventCount(app), 1);
    const due = "select next_poll_at <= clock_timestamp() as due from public.video_jobs";
    assertEquals(await app.db.query(due), [{ due: true }]);
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
      for (const body of [successOf(job), failure]) {
        assertEquals((await postWebhook(app, { job, token, body })).status, 200);
      }
    }
    for (const name of ["poll-videos", "store-videos", "maintain"] as const) await work(app, name);
    assertEquals(await everything(), before);
    assertEquals(await eventCount(app), 6);
  });
});

Deno.test("F14 a replaced secret is accepted beside the new one until it is removed; without one the function does not start", async () => {
  await byHand({}, async (app) => {
    const job = await submitted(app, await queued(app, await newCustomer(app)));
    const token = await tokenOf(app, job);
    const { PROVIDER_WEBHOOK_SECRET: old = "", ...env } = await functionsEnv(app);
    const fresh = "a fresh secret that is long enough, too";
    const tried = async (change: Record<string, string>) => {
      await app.functions.restart({ ...env, ...change });
      const tokens = [token, await webhookToken(fresh, job), ""];
      const answers = await Promise.all(tokens.map((token) => postWebhook(app, { job, token })));
      return answers.map(({ status }) => status);
    };
    const both = { PROVIDER_WEBHOOK_SECRET: fresh, PROVIDER_WEBHOOK_SECRET_PREVIOUS: old };
    assertEquals(await tried(both), [200, 200, 401]);
    assertEquals(await tried({ PROVIDER_WEBHOOK_SECRET: fresh }), [401, 200, 401]);
    for (
      const change of [{}, { PROVIDER_WEBHOOK_SECRET: "" }, { PROVIDER_WEBHOOK_SECRET: "short" }]
    ) {
      assertEquals(await tried(change), [503, 503, 503]);
      assertEquals((await call(app, `kie-webhook?job=${job}&token=${token}`)).status, 503);
    }
    assertEquals(await eventCount(app), 1);
  });
});

Deno.test("a burst of webhooks, some twice: each is answered, each is kept once", async () => {
  await byHand({}, async (app) => {
    const customer = await newCustomer(app);
    const jobs: string[] = [];
    for (let n = 0; n < 4; n++) jobs.push(await submitted(app, await queued(app, customer)));
    const tokens = await Promise.all(jobs.map((job) => tokenOf(app, job)));
    const posts = [...jobs, ...jobs].map((job, n) =>
      postWebhook(app, { job, token: tokens[n % jobs.length] ?? "", body: successOf(job) })
    );
    const answers = await Promise.all(posts);
    assertEquals(answers.map(({ status }) => status), posts.map(() => 200));
    assertEquals(await eventCount(app), jobs.length);
  });
});
