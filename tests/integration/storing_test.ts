import { assert, assertEquals } from "@std/assert";
import { failStoring, startStoring } from "../../shared/db/store_calls.ts";
import { work } from "../support/app.ts";
import { byHand, functionsEnv, stored } from "../support/by_hand.ts";
import { balanceOf, newestJob, passTime, value, videoOf } from "../support/fixtures.ts";
import { assertGivenUp, deliveredAt, filesOf, statusOf, waiting } from "../support/storing.ts";
import { adminClient } from "../support/users.ts";

Deno.test("F21 a link that died before the copy: a fresh one is asked for and used", async () => {
  await byHand({}, async (app) => {
    const { customer, videoId } = await waiting(app);
    const base = new URL(app.sandbox.url).origin;
    await deliveredAt(app, videoId, `${base}/media/${crypto.randomUUID()}.mp4`);
    await stored(app);
    assertEquals(await statusOf(app, videoId), "completed");
    assertEquals((await filesOf(app, customer)).length, 1);
    assertEquals(app.sandbox.control.state().counts.mediaGets, 2);
  });
});

Deno.test("F21 a link that is dead for good: tried for some minutes, then failed and refunded", async () => {
  await byHand({}, async (app) => {
    const { customer, videoId } = await waiting(app);
    app.sandbox.control.expire((await newestJob(app.db, videoId)).id);
    await stored(app);
    assertEquals(await statusOf(app, videoId), "rendering", "one refusal is no end");
    for (let i = 0; i < 5; i++) await stored(app);
    await assertGivenUp(app, customer, videoId, "gone");
    assertEquals(app.sandbox.control.state().counts.mediaGets, 6);
  });
});

Deno.test("a file that is missing, or cut half-way, once: tried again, and exactly one whole object is there", async () => {
  await byHand({}, async (app) => {
    const whole = await waiting(app);
    await stored(app);
    const [expected] = await filesOf(app, whole.customer);
    for (const fault of ["mediaMissing", "mediaCut"]) {
      const { customer, videoId } = await waiting(app);
      app.sandbox.control.configure({ [fault]: 1, mediaBytes: 1_000_000 });
      await stored(app);
      assertEquals(await statusOf(app, videoId), "rendering", fault);
      assertEquals(await filesOf(app, customer), [], fault);
      app.sandbox.control.configure({ [fault]: 0 });
      await stored(app);
      assertEquals(await statusOf(app, videoId), "completed", fault);
      const files = await filesOf(app, customer);
      assertEquals(files.map((file) => file.byteLength), [1_000_000], fault);
      assertEquals(files[0]?.subarray(0, 12), expected?.subarray(0, 12), fault);
    }
  });
});

Deno.test("a page that calls itself .mp4 is not kept: a fresh link is asked for, it is tried for some minutes, then failed and refunded", async () => {
  await byHand({}, async (app) => {
    await using cdn = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      () => new Response("<!doctype html><title>Expired</title>"),
    );
    const env = await functionsEnv(app);
    const hosts = `127.0.0.1:${cdn.addr.port},${new URL(app.sandbox.url).host}`;
    await app.functions.restart({ ...env, RUNWARE_MEDIA_HOSTS: hosts });
    const mended = await waiting(app);
    await deliveredAt(app, mended.videoId, `http://127.0.0.1:${cdn.addr.port}/x.mp4`);
    await stored(app);
    assertEquals(await statusOf(app, mended.videoId), "completed");

    const { customer, videoId } = await waiting(app);
    app.sandbox.control.configure({ mediaWrongContent: 1 });
    for (let i = 0; i < 6; i++) {
      assertEquals(await statusOf(app, videoId), "rendering");
      await stored(app);
    }
    await assertGivenUp(app, customer, videoId, "wrong_content");
  });
});

Deno.test("F23 a file outside the provider's hosts is never fetched: a fresh link is asked for, without one it waits for the operator, then it is refunded", async () => {
  await byHand({}, async (app) => {
    const listener = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
      throw new Error("It was fetched");
    });
    const places = [
      `http://127.0.0.1:${listener.addr.port}/x.mp4`,
      "http://169.254.169.254/latest/meta-data/x.mp4",
      "https://evil.example.com/x.mp4",
      "file:///etc/passwd",
    ];
    const lost: Awaited<ReturnType<typeof waiting>>[] = [];
    for (const place of places) {
      const { customer, videoId } = await waiting(app);
      await deliveredAt(app, videoId, place);
      // The provider knows nothing of it any more.
      app.sandbox.control.reset();
      await stored(app);
      assertEquals(await statusOf(app, videoId), "rendering");
      assertEquals(app.sandbox.control.state().counts.mediaGets, 0);
      lost.push({ customer, videoId });

      const mended = await waiting(app);
      await deliveredAt(app, mended.videoId, place);
      await stored(app);
      assertEquals(await statusOf(app, mended.videoId), "completed");
    }
    await passTime(app.db, "8 hours");
    await work(app, "maintain");
    for (const { customer, videoId } of lost) {
      await assertGivenUp(app, customer, videoId, "storing_deadline");
    }
    await listener.shutdown();
  });
});

Deno.test("F24 a copy that is there already is as good: completed once, the object left as it is", async () => {
  await byHand({}, async (app) => {
    const { customer, videoId } = await waiting(app);
    const earlier = new Blob(["....ftypisom, copied by a worker that died"], { type: "video/mp4" });
    const path = `${customer.id}/videos/${videoId}.mp4`;
    const put = await adminClient(app).storage.from("videos").upload(path, earlier);
    assertEquals(put.error, null);
    await stored(app);
    await stored(app);
    const { status, storage_path } = await videoOf(app.db, videoId);
    assertEquals([status, storage_path], ["completed", path]);
    const [file, ...others] = await filesOf(app, customer);
    assertEquals(file, new Uint8Array(await earlier.arrayBuffer()));
    assertEquals(others, []);
    const notices = await app.db.query("select kind from public.notifications");
    assertEquals(notices, [{ kind: "video_ready" }]);
  });
});

Deno.test("F24 two workers storing at once, and a queue job lost half-way: one object, one completion each", async () => {
  await byHand({}, async (app) => {
    const videos = [];
    for (let i = 0; i < 5; i++) videos.push(await waiting(app));
    const [lost] = videos;
    await app.db.query("delete from pgboss.job where name = 'store-video' and id = $1", [
      (await newestJob(app.db, lost?.videoId ?? "")).id,
    ]);
    await passTime(app.db, "1 minute");
    await work(app, "maintain");
    await Promise.all([stored(app), stored(app), stored(app)]);
    for (const { customer, videoId } of videos) {
      assertEquals(await statusOf(app, videoId), "completed");
      assertEquals((await filesOf(app, customer)).length, 1);
    }
    const notices = await app.db.query("select kind from public.notifications");
    assertEquals(notices.length, videos.length);
    // What came too late is none that has to go.
    await passTime(app.db, "1 hour");
    await work(app, "maintain");
    for (const { customer } of videos) assertEquals((await filesOf(app, customer)).length, 1);
  });
});

Deno.test("F24 a copy that is held up until another worker has stored the file: completed once, and maintain leaves the file where it is", async () => {
  const [asked, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let [requests, source] = [0, ""];
  await using cdn = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async () => {
    requests += 1;
    if (requests === 1) {
      asked.resolve();
      await held.promise;
    }
    return await fetch(source);
  });
  const host = `127.0.0.1:${cdn.addr.port}`;
  await byHand({ functionsEnv: { RUNWARE_MEDIA_HOSTS: host } }, async (app) => {
    const { customer, videoId } = await waiting(app);
    const link = "select result_url as value from public.video_jobs where video_id = $1";
    source = String(await value(app.db, link, [videoId]));
    await deliveredAt(app, videoId, `http://${host}/x.mp4`);
    try {
      const slow = work(app, "store-videos");
      await Promise.race([asked.promise, slow]);
      // It is taken for dead, and its work comes back.
      await passTime(app.db, "10 minutes");
      await work(app, "maintain");
      await stored(app);
      assertEquals([await statusOf(app, videoId), requests], ["completed", 2]);
      held.resolve();
      await slow;
    } finally {
      held.resolve();
    }
    await work(app, "maintain");
    assertEquals((await filesOf(app, customer)).length, 1);
    const notices = await app.db.query("select kind from public.notifications");
    assertEquals(notices, [{ kind: "video_ready" }]);
  });
});

Deno.test("a file that was copied for a video that failed after all is kept from the user, and deleted", async () => {
  await byHand({}, async (app) => {
    const { customer, videoId } = await waiting(app);
    const { id } = await newestJob(app.db, videoId);
    const [file] = await startStoring(app.db, [id]);
    const path = file?.storage_path ?? "";
    const bucket = adminClient(app).storage.from("videos");
    assertEquals(
      (await bucket.upload(path, new Blob(["copied"], { type: "video/mp4" }))).error,
      null,
    );
    await failStoring(app.db, id, "storing_deadline", null);
    assertEquals(await balanceOf(app.db, { userId: customer.id, childId: "" }), 10);
    assertEquals((await bucket.download(path)).error, null);
    assert((await customer.client.storage.from("videos").download(path)).error !== null);
    await work(app, "maintain");
    assert((await bucket.download(path)).error !== null);
  });
});
