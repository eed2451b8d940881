import { assertEquals } from "@std/assert";
import { call, newCustomer, queued, work } from "../support/app.ts";
import {
  byHand,
  delivered,
  functionsEnv,
  type HandStack,
  polled,
  stored,
  submitted,
} from "../support/by_hand.ts";
import {
  balanceOf,
  entriesOf,
  jobsOf,
  newestJob,
  passTime,
  value,
  videoOf,
} from "../support/fixtures.ts";

/** Kills the functions while the provider keeps a worker waiting for its answer, then starts them again. */
async function killWhileWaiting(
  app: HandStack,
  name: "submit-videos" | "poll-videos",
): Promise<void> {
  const posts = app.sandbox.control.state().counts.posts;
  app.sandbox.control.configure({ hungAck: { next: 1, on: "any" } });
  const running = call(app, `${name}?wait=1`, { headers: { apikey: app.cronKey } });
  await app.sandbox.control.waitFor(({ counts }) => counts.posts > posts);
  await app.functions.kill();
  assertEquals((await running).status, 503);
  await app.functions.restart();
}

Deno.test("F34 of two rounds of maintenance at once, one that Storage holds up and one that comes meanwhile, the second is skipped", async () => {
  await byHand({}, async (app) => {
    const customer = await newCustomer(app);
    const videoId = await queued(app, customer);
    await delivered(app, videoId);
    await stored(app);
    const { error } = await customer.client.rpc("delete_videos", { p_video_ids: [videoId] });
    assertEquals(error, null);
    const [asked, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const storage = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      async ({ url, method, headers, body }) => {
        asked.resolve();
        await held.promise;
        const { pathname } = new URL(url);
        return await fetch(app.supabaseUrl + pathname, { method, headers, body });
      },
    );
    const SUPABASE_URL = `http://127.0.0.1:${storage.addr.port}`;
    await app.functions.restart({ ...await functionsEnv(app), SUPABASE_URL });
    const round = async () => {
      const { status, body } = await call(app, "maintain", { headers: { apikey: app.cronKey } });
      return [status, body["skipped"]];
    };
    try {
      const slow = round();
      await Promise.race([asked.promise, slow]);
      assertEquals(await round(), [200, "another round is under way"]);
      held.resolve();
      assertEquals([await slow, await round()], [[200, undefined], [200, undefined]]);
      const files = "select count(*)::int as value from storage.objects";
      assertEquals(await value(app.db, files), 0);
    } finally {
      held.resolve();
      await storage.shutdown();
    }
  });
});

/** What cron would do over some minutes: age the leases, find the dead, come back. */
async function recover(app: HandStack): Promise<void> {
  await passTime(app.db, "3 minutes");
  await work(app, "maintain");
  await passTime(app.db, "2 minutes");
}

Deno.test("F07 F30 a worker killed between claiming and writing down: the same id goes out again, bought once, completed", async () => {
  await byHand({}, async (app) => {
    const customer = await newCustomer(app);
    const ids = [await queued(app, customer), await queued(app, customer)];
    await killWhileWaiting(app, "submit-videos");
    for (const id of ids) assertEquals((await newestJob(app.db, id)).status, "claimed");
    // Before the lease is over nobody takes them again.
    await work(app, "submit-videos");
    assertEquals(app.sandbox.control.state().counts.submitPosts, 1);

    await recover(app);
    for (const id of ids) await delivered(app, id);
    await stored(app);
    for (const id of ids) {
      assertEquals((await videoOf(app.db, id)).status, "completed");
      assertEquals((await jobsOf(app.db, id)).map(({ status }) => status), ["completed"]);
      assertEquals((await entriesOf(app.db, id)).length, 1);
    }
    const { counts } = app.sandbox.control.state();
    assertEquals([counts.tasksAccepted, counts.conflicts], [2, 2]);
  });
});

Deno.test("F27 a poller killed while it asks: its lease runs out and the next one settles", async () => {
  await byHand({}, async (app) => {
    const videoId = await queued(app, await newCustomer(app));
    const job = await submitted(app, videoId);
    app.sandbox.control.finish(job);
    await passTime(app.db, "1 minute");
    await killWhileWaiting(app, "poll-videos");
    await work(app, "poll-videos");
    assertEquals((await videoOf(app.db, videoId)).status, "processing", "leased");
    await passTime(app.db, "1 minute");
    await polled(app);
    await stored(app);
    assertEquals((await videoOf(app.db, videoId)).status, "completed");
  });
});

Deno.test("F30 an attempt that every worker dies of comes to a visible end, with the money back", async () => {
  await byHand({ settings: { max_claims: 2 } }, async (app) => {
    const customer = await newCustomer(app, { gems: 10 });
    const videoId = await queued(app, customer);
    for (let death = 1; death <= 2; death++) {
      await killWhileWaiting(app, "submit-videos");
      await recover(app);
    }
    await work(app, "submit-videos");
    const { status, error_code } = await videoOf(app.db, videoId);
    assertEquals([status, error_code], ["failed", "worker_lost"]);
    assertEquals(await balanceOf(app.db, { userId: customer.id, childId: "" }), 10);
    assertEquals((await newestJob(app.db, videoId)).status, "failed");
    await recover(app);
    await work(app, "submit-videos");
    assertEquals(app.sandbox.control.state().counts.tasksAccepted, 1);
  });
});

Deno.test("F09 doorbell, queue jobs and workers gone for hours: maintain alone ends every video, with the money right", async () => {
  await byHand({}, async (app) => {
    const customer = await newCustomer(app);
    const [waiting, rendering, handed] = [
      await queued(app, customer),
      await queued(app, customer),
      await queued(app, customer),
    ];
    await app.db.query(
      "update pgboss.job set start_after = now() + interval '1 day' where id = $1",
      [
        (await newestJob(app.db, waiting)).id,
      ],
    );
    await delivered(app, rendering);
    await submitted(app, handed);
    await app.db.query("delete from pgboss.job");
    await passTime(app.db, "5 hours");
    for (let round = 0; round < 3; round++) {
      await work(app, "maintain");
      await passTime(app.db, "5 hours");
    }
    for (const id of [waiting, rendering, handed]) {
      assertEquals((await videoOf(app.db, id)).status, "failed", id);
    }
    assertEquals(await balanceOf(app.db, { userId: customer.id, childId: "" }), 100);
  });
});
