import { assert, assertEquals } from "@std/assert";
import {
  type AppStack,
  BY_HAND,
  call,
  headersOf,
  newCustomer,
  queued,
  withApp,
  work,
} from "../support/app.ts";
import { until } from "../support/until.ts";
import {
  balanceOf,
  brokenInvariants,
  entriesOf,
  jobsOf,
  newestJob,
  passTime,
  videoOf,
} from "../support/fixtures.ts";

/** Hands over, ends the newest attempt at the sandbox, asks about it. */
async function attempt(app: AppStack, videoId: string, end: "finish" | "fail") {
  await work(app, "submit-videos");
  const { id } = await newestJob(app.db, videoId);
  if (end === "finish") app.sandbox?.control.finish(id);
  else app.sandbox?.control.fail(id, "providerError", "CUDA out of memory on node 7");
  await passTime(app.db, "1 minute");
  await work(app, "poll-videos");
  await passTime(app.db, "1 minute");
}

Deno.test("two provider errors, then success: three attempts with three ids, one charge, completed", async () => {
  await withApp(BY_HAND, async (app) => {
    const customer = await newCustomer(app, { gems: 10 });
    const videoId = await queued(app, customer);
    await attempt(app, videoId, "fail");
    await attempt(app, videoId, "fail");
    await attempt(app, videoId, "finish");
    await work(app, "store-videos");
    assertEquals((await videoOf(app.db, videoId)).status, "completed");
    const jobs = await jobsOf(app.db, videoId);
    assertEquals(jobs.map((job) => job.status), ["failed", "failed", "completed"]);
    assertEquals(new Set(jobs.map((job) => job.id)).size, 3);
    assertEquals(app.sandbox?.control.state().counts.tasksAccepted, 3);
    assertEquals(await entriesOf(app.db, videoId), [{ kind: "charge", amount: -10 }]);
    assertEquals(await brokenInvariants(app.db), []);
  });
});

Deno.test("three failures: refunded once, a kind sentence for people, the provider's words for operators only", async () => {
  await withApp(BY_HAND, async (app) => {
    const customer = await newCustomer(app, { gems: 10 });
    const videoId = await queued(app, customer);
    for (let i = 0; i < 3; i++) await attempt(app, videoId, "fail");
    assertEquals((await jobsOf(app.db, videoId)).length, 3);
    assertEquals(await balanceOf(app.db, { userId: customer.id, childId: "" }), 10);
    assertEquals((await entriesOf(app.db, videoId)).length, 2);

    const status = await call(app, `video-status?video_id=${videoId}`, {
      method: "GET",
      headers: headersOf(app, customer),
    });
    const seen = JSON.stringify(status.body) +
      JSON.stringify((await customer.client.from("videos").select("*")).data);
    assert(seen.includes("Please try again"), seen);
    assert(!seen.includes("CUDA"), "the provider's words stay inside");
    const [raw] = await app.db.query(
      "select provider_error::text as value from public.video_jobs where attempt = 3",
    );
    assert(String(raw?.["value"]).includes("CUDA out of memory"));
    assertEquals(await brokenInvariants(app.db), []);
  });
});

Deno.test("F08 each class of error ends as written down: safety and validation fail at once, with the gems back", async () => {
  await withApp(BY_HAND, async (app) => {
    const customer = await newCustomer(app);
    const cases = [["contentPolicyViolation", "content_refused"], [
      "invalidPositivePrompt",
      "invalid_request",
    ]] as const;
    for (const [code, told] of cases) {
      app.sandbox?.control.configure({ refuseTasks: { next: 1 }, refuseCode: code });
      const videoId = await queued(app, customer);
      await work(app, "submit-videos");
      const video = await videoOf(app.db, videoId);
      assertEquals([video.status, video.error_code], ["failed", told], code);
      assertEquals((await jobsOf(app.db, videoId)).length, 1);
    }
    assertEquals(await balanceOf(app.db, { userId: customer.id, childId: "" }), 100);
    assertEquals(await brokenInvariants(app.db), []);
  });
});

Deno.test("cancel: queued gives all back, finished is 409 and changes nothing", async () => {
  await withApp(BY_HAND, async (app) => {
    const customer = await newCustomer(app, { gems: 20 });
    const cancel = (videoId: string) =>
      call(app, "cancel-video", {
        headers: headersOf(app, customer),
        body: JSON.stringify({ video_id: videoId }),
      });
    const first = await queued(app, customer);
    const answer = await cancel(first);
    assertEquals(answer.status, 200);
    assertEquals(answer.body, {
      success: true,
      video_id: first,
      status: "cancelled",
      gems_refunded: 10,
      gem_balance: 20,
    });

    const second = await queued(app, customer);
    await attempt(app, second, "finish");
    await work(app, "store-videos");
    const refused = await cancel(second);
    assertEquals([refused.status, refused.body["code"]], [409, "not_possible_now"]);
    assertEquals((await videoOf(app.db, second)).status, "completed");
    assertEquals(await balanceOf(app.db, { userId: customer.id, childId: "" }), 10);
    assertEquals(await brokenInvariants(app.db), []);
  });
});

Deno.test("a finished video's link downloads an MP4, for its owner only", async () => {
  await withApp(BY_HAND, async (app) => {
    const customer = await newCustomer(app);
    const stranger = await newCustomer(app);
    const videoId = await queued(app, customer);
    await attempt(app, videoId, "finish");
    await work(app, "store-videos");

    const status = (who: typeof customer) =>
      call(app, `video-status?video_id=${videoId}`, {
        method: "GET",
        headers: headersOf(app, who),
      });
    assertEquals((await status(stranger)).status, 404);
    const { body } = await status(customer);
    const [video] = body["videos"] as { video_url: string; status: string }[];
    const file = await fetch(video?.video_url ?? "");
    const bytes = new Uint8Array(await file.arrayBuffer());
    assertEquals(new TextDecoder().decode(bytes.subarray(4, 8)), "ftyp");

    const path = `${customer.id}/videos/${videoId}.mp4`;
    const theirs = await stranger.client.storage.from("videos").download(path);
    assert(theirs.error !== null, "a stranger may not download");
    const own = await customer.client.storage.from("videos").download(path);
    assertEquals(own.data?.size, bytes.byteLength);
  });
});

Deno.test("F26 a hundred videos: at most 10 POSTs to submit, at most 10 for a poll sweep", async () => {
  await withApp({ ...BY_HAND, settings: { queue_limit: 1000 } }, async (app) => {
    const customer = await newCustomer(app, { gems: 1000 });
    await Promise.all(Array.from({ length: 100 }, () => queued(app, customer)));
    await work(app, "submit-videos");
    // Rings have been at work beside us: what counts is what reached the provider.
    const count = (name: "tasksAccepted" | "submitPosts" | "getResponses" | "pollPosts") =>
      app.sandbox?.control.state().counts[name] ?? 0;
    await until(
      "all are handed over",
      () => Promise.resolve(count("tasksAccepted") === 100 || undefined),
    );
    assert(count("submitPosts") <= 10, `${count("submitPosts")} POSTs to submit`);
    await passTime(app.db, "1 minute");
    await work(app, "poll-videos");
    assertEquals(count("getResponses"), 100);
    assert(count("pollPosts") <= 10, `${count("pollPosts")} POSTs for a sweep`);
  });
});
