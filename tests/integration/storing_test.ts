import { assert, assertEquals } from "@std/assert";
import { failStoring, startStoring } from "../../shared/db/worker_calls.ts";
import { type Customer, newCustomer, queued, work } from "../support/app.ts";
import { byHand, delivered, type HandStack, stored } from "../support/by_hand.ts";
import { balanceOf, entriesOf, newestJob, passTime, videoOf } from "../support/fixtures.ts";
import { adminClient } from "../support/users.ts";

/** A video that was delivered and waits for its file to be copied. */
async function waiting(app: HandStack): Promise<{ customer: Customer; videoId: string }> {
  const customer = await newCustomer(app, { gems: 10 });
  const videoId = await queued(app, customer);
  await delivered(app, videoId);
  assertEquals((await videoOf(app.db, videoId)).status, "rendering");
  return { customer, videoId };
}

const statusOf = async (app: HandStack, videoId: string) => (await videoOf(app.db, videoId)).status;

/** Says that the provider named this place for the file. */
const deliveredAt = (app: HandStack, videoId: string, url: string) =>
  app.db.query("update public.video_jobs set result_url = $2 where video_id = $1", [videoId, url]);

/** The bytes of each object of a customer, as the customer downloads it. */
async function filesOf(app: HandStack, { id, client }: Customer): Promise<Uint8Array[]> {
  const rows = await app.db.query(
    "select name from storage.objects where bucket_id = 'videos' and name like $1 || '/%'",
    [id],
  );
  return await Promise.all(rows.map(async ({ name }) => {
    const { data, error } = await client.storage.from("videos").download(String(name));
    if (error) throw error;
    return new Uint8Array(await data.arrayBuffer());
  }));
}

/** Failed for good: the gems are back, the person is told kindly, no file is kept. */
async function assertGivenUp(app: HandStack, customer: Customer, videoId: string, code: string) {
  const video = await videoOf(app.db, videoId);
  assertEquals([video.status, video.error_code], ["failed", "storing_failed"]);
  assertEquals(
    video.error_message,
    "The video was made but could not be saved. Please try again.",
  );
  assertEquals((await newestJob(app.db, videoId)).error_code, code);
  assertEquals(await balanceOf(app.db, { userId: customer.id, childId: "" }), 10);
  assertEquals((await entriesOf(app.db, videoId)).length, 2);
  assertEquals(await filesOf(app, customer), []);
}

Deno.test("F21 a link that died before the copy: a fresh one is asked for and used", async () => {
  await byHand({}, async (app) => {
    const { customer, videoId } = await waiting(app);
    const base = new URL(app.runwareUrl).origin;
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

Deno.test("a page that calls itself .mp4 is not kept: failed and refunded at once", async () => {
  await byHand({}, async (app) => {
    const { customer, videoId } = await waiting(app);
    app.sandbox.control.configure({ mediaWrongContent: 1 });
    await stored(app);
    await assertGivenUp(app, customer, videoId, "not_a_video");
  });
});

Deno.test("F23 a file outside the provider's hosts is never fetched: failed and refunded", async () => {
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
    for (const place of places) {
      const { customer, videoId } = await waiting(app);
      await deliveredAt(app, videoId, place);
      await stored(app);
      await assertGivenUp(app, customer, videoId, "host_not_allowed");
    }
    assertEquals(app.sandbox.control.state().counts.mediaGets, 0);
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
  });
});

Deno.test("a file that was copied for a video that failed after all is kept from the user", async () => {
  await byHand({}, async (app) => {
    const { customer, videoId } = await waiting(app);
    const { id } = await newestJob(app.db, videoId);
    const [file] = await startStoring(app.db, [id]);
    const path = file?.storage_path ?? "";
    const bucket = adminClient(app).storage.from("videos");
    assertEquals((await bucket.upload(path, new Blob(["copied"]))).error, null);
    await failStoring(app.db, id, "storing_deadline", null);
    assertEquals(await balanceOf(app.db, { userId: customer.id, childId: "" }), 10);
    assertEquals((await bucket.download(path)).error, null);
    assert((await customer.client.storage.from("videos").download(path)).error !== null);
  });
});
