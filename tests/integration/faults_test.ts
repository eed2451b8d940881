import { assertEquals } from "@std/assert";
import { call, newCustomer, queued, work } from "../support/app.ts";
import {
  byHand,
  delivered,
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
import type { KnobChanges } from "../../local/sandbox/runware.ts";

const statusOf = async (app: HandStack, videoId: string) => (await videoOf(app.db, videoId)).status;

const attemptsOf = async (app: HandStack, videoId: string) =>
  (await jobsOf(app.db, videoId)).map(({ status }) => status);

/** Asks health what it says about Runware. */
async function provider(app: HandStack): Promise<Record<string, unknown>> {
  const { body } = await call(app, "health", {
    method: "GET",
    headers: { apikey: app.secretKey },
  });
  const { report } = body as { report: { providers: Record<string, Record<string, unknown>> } };
  return report.providers["runware"] ?? {};
}

/**
 * Faults of a submit call, where the attempt stands after it, and whether the provider meets its id
 * again. All calls fail until the knob is turned back: Deno's fetch resends by itself where a kept
 * connection is closed under it, and a single fault would only ever be seen by that.
 */
const SUBMIT_FAULTS = [
  ["lostAck", "claimed", { metAgain: true }],
  ["lateServerError", "claimed", { metAgain: true }],
  ["badJson", "claimed", { metAgain: true }],
  ["emptyAck", "processing", { metAgain: false }],
  ["droppedRequest", "claimed", { metAgain: false }],
  ["serverError", "claimed", { metAgain: false }],
  // As good as a refusal: nothing was taken, and nobody needs to ask.
  ["noServer", "pending", { metAgain: false }],
] as const;

Deno.test("an answer to a submit that is lost, late, empty or unreadable: handed over again under the same id, bought once, completed", async () => {
  await byHand({}, async (app) => {
    const customer = await newCustomer(app);
    for (const [fault, status, { metAgain }] of SUBMIT_FAULTS) {
      app.sandbox.control.reset();
      const videoId = await queued(app, customer);
      const { id } = await newestJob(app.db, videoId);
      app.sandbox.control.configure({ [fault]: { probability: 1, on: "submit" } });
      await work(app, "submit-videos");
      assertEquals(await attemptsOf(app, videoId), [status], fault);
      const standing = status === "pending" ? "queued" : "processing";
      assertEquals(await statusOf(app, videoId), standing, fault);
      app.sandbox.control.configure({ [fault]: 0 });
      await passTime(app.db, "1 minute");
      assertEquals(await submitted(app, videoId), id, fault);
      await delivered(app, videoId);
      await stored(app);
      assertEquals(await statusOf(app, videoId), "completed", fault);
      assertEquals(await attemptsOf(app, videoId), ["completed"], fault);
      const { counts } = app.sandbox.control.state();
      assertEquals([counts.tasksAccepted, counts.conflicts > 0], [1, metAgain], fault);
    }
    assertEquals(await balanceOf(app.db, { userId: customer.id, childId: "" }), 30);
  });
});

/** Refusals that are about us, how the pause is called, and when it is and is not over. */
const HOLDS: readonly (readonly [KnobChanges, string, string, string])[] = [
  [
    { rateLimit: { next: 1 }, retryAfterSeconds: 120 },
    "rateLimitExceeded",
    "1 minute",
    "2 minutes",
  ],
  [{ rateLimit: { next: 1 } }, "rateLimitExceeded", "10 seconds", "1 minute"],
  [{ invalidApiKey: { next: 1 } }, "invalidApiKey", "4 minutes", "2 minutes"],
  [{ insufficientCredits: { next: 1 } }, "insufficientCredits", "4 minutes", "2 minutes"],
];

Deno.test("429, 401 and 402: the same attempt is held, the provider rests and health says why, then it goes on", async () => {
  await byHand({}, async (app) => {
    const customer = await newCustomer(app, { gems: 1000 });
    for (const [fault, reason, early, rest] of HOLDS) {
      app.sandbox.control.reset();
      const [first, second] = [await queued(app, customer), await queued(app, customer)];
      app.sandbox.control.configure(fault);
      await work(app, "submit-videos");
      assertEquals(app.sandbox.control.state().counts.tasksAccepted, 0);
      assertEquals((await provider(app))["pause_reason"], reason);
      for (const videoId of [first, second]) {
        const { status, progress, retry_count } = await videoOf(app.db, videoId);
        assertEquals([status, progress, retry_count], ["queued", 0, 0], reason);
      }

      await passTime(app.db, early);
      const third = await queued(app, customer);
      assertEquals(await value(app.db, "select app.work_due('submit') as value"), false, reason);
      await work(app, "submit-videos");
      assertEquals(app.sandbox.control.state().counts.submitPosts, 1, "nothing is sent meanwhile");

      await passTime(app.db, rest);
      assertEquals((await provider(app))["pause_reason"], null);
      await work(app, "submit-videos");
      for (const videoId of [first, second, third]) {
        assertEquals(await attemptsOf(app, videoId), ["processing"], reason);
        await delivered(app, videoId);
      }
      await stored(app);
      assertEquals(await statusOf(app, third), "completed");
    }
    const [row] = await app.db.query(
      "select max(claim_count)::int as claims, count(*)::int as jobs from public.video_jobs",
    );
    assertEquals(row, { claims: 1, jobs: 3 * HOLDS.length });
  });
});

/** Polls that tell nothing. */
const POLL_FAULTS = [
  "badJson",
  "droppedRequest",
  "emptyAck",
  "insufficientCredits",
  "invalidApiKey",
  "lostAck",
  "noServer",
  "rateLimit",
  "serverError",
  "unansweredPolls",
] as const;

Deno.test("a poll that tells nothing costs nothing: the attempt is asked about again", async () => {
  await byHand({}, async (app) => {
    const customer = await newCustomer(app);
    for (const fault of POLL_FAULTS) {
      // A provider whose account or key is of no use has rested since the last one.
      await passTime(app.db, "10 minutes");
      const videoId = await queued(app, customer);
      const on = fault === "unansweredPolls" ? {} : { on: "poll" };
      app.sandbox.control.configure({ [fault]: { probability: 1, ...on } });
      await delivered(app, videoId);
      assertEquals(await attemptsOf(app, videoId), ["processing"], fault);
      assertEquals((await newestJob(app.db, videoId)).error_code, null, fault);
      app.sandbox.control.configure({ [fault]: 0 });
      await polled(app);
      await stored(app);
      assertEquals(await statusOf(app, videoId), "completed", fault);
      assertEquals(await attemptsOf(app, videoId), ["completed"], fault);
    }
  });
});

Deno.test("F19 a failure and a success are understood in every form they are told in", async () => {
  await byHand({}, async (app) => {
    const customer = await newCustomer(app);
    const forms: readonly KnobChanges[] = [
      { failureForm: "errors", receiptForm: "full" },
      { failureForm: "item", receiptForm: "noStatus" },
      { failureForm: "flatItem", receiptForm: "media" },
      { failureForm: "errors", failedPollStatus: 400, processingForm: "getResponse" },
      { failureForm: "item", failedPollStatus: 500, sendProgress: false },
      { shuffledReplies: true },
    ];
    for (const form of forms) {
      const what = JSON.stringify(form);
      app.sandbox.control.reset();
      app.sandbox.control.configure(form);
      const videoId = await queued(app, customer);
      const job = await submitted(app, videoId);
      await polled(app);
      assertEquals(await attemptsOf(app, videoId), ["processing"], what);
      app.sandbox.control.fail(job, "providerError", "The engine is on fire");
      await polled(app);
      const [first] = await jobsOf(app.db, videoId);
      assertEquals([first?.status, first?.error_code], ["failed", "providerError"], what);
      await passTime(app.db, "1 minute");
      await delivered(app, videoId);
      await stored(app);
      assertEquals(await attemptsOf(app, videoId), ["failed", "completed"], what);
      assertEquals(await statusOf(app, videoId), "completed", what);
    }
  });
});

Deno.test("F06 a provider that renders forever: three deadlines, then failed and refunded, and a late success changes nothing", async () => {
  await byHand({}, async (app) => {
    const customer = await newCustomer(app, { gems: 10 });
    const videoId = await queued(app, customer);
    for (let attempt = 1; attempt <= 3; attempt++) {
      await submitted(app, videoId);
      await passTime(app.db, "29 minutes");
      await work(app, "poll-videos");
      await work(app, "maintain");
      assertEquals((await attemptsOf(app, videoId)).at(-1), "processing");
      await passTime(app.db, "2 minutes");
      // It is asked once more, since it might be ready after all.
      await work(app, "poll-videos");
      await work(app, "maintain");
      assertEquals((await jobsOf(app.db, videoId))[attempt - 1]?.error_code, "deadline");
      await passTime(app.db, "1 minute");
    }
    const { status, error_code } = await videoOf(app.db, videoId);
    assertEquals([status, error_code], ["failed", "timed_out"]);
    assertEquals(await attemptsOf(app, videoId), ["failed", "failed", "failed"]);
    assertEquals(await balanceOf(app.db, { userId: customer.id, childId: "" }), 10);
    for (const { id } of await jobsOf(app.db, videoId)) app.sandbox.control.finish(id);
    await polled(app);
    await work(app, "maintain");
    assertEquals(await statusOf(app, videoId), "failed");
    assertEquals((await entriesOf(app.db, videoId)).length, 2);
  });
});
