/** Runway through the whole stack: doors, workers, database, storage, and the sandbox at the end. */
import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import type { RunwaySandbox } from "../../local/sandbox/runway.ts";
import {
  type AppOptions,
  call,
  type Customer,
  headersOf,
  newCustomer,
  queued,
  work,
} from "../support/app.ts";
import { until } from "../support/until.ts";
import { byHand, type HandStack, muchLater, polled, stored } from "../support/by_hand.ts";
import {
  balanceOf,
  entriesOf,
  jobsOf,
  newestJob,
  passTime,
  TWINKLE,
  value,
  videoOf,
} from "../support/fixtures.ts";

interface Scene {
  readonly app: HandStack;
  readonly runway: RunwaySandbox;
  readonly customer: Customer;
}

/** A stack by hand in which the seed's first rhyme is made by Runway, whose tasks end when told to. */
function withRunway(work: (scene: Scene) => Promise<void>, options: AppOptions = {}) {
  const runway = { knobs: { manual: true, pendingMs: 0 } };
  return byHand({ runway, ...options }, async (app) => {
    const { sandbox } = app.providers.runway;
    if (sandbox === null) throw new Error("The Runway sandbox is missing");
    await app.db.query(
      `update public.rhymes set provider = 'runway', model = 'gen4.5', duration_seconds = 5,
         width = 1280, height = 720 where id = $1`,
      [TWINKLE],
    );
    await work({ app, runway: sandbox, customer: await newCustomer(app, { gems: 10 }) });
  });
}

function bought({ runway }: Scene): number {
  return runway.control.state().counts.accepted;
}

function balance({ app, customer }: Scene): Promise<number> {
  return balanceOf(app.db, { userId: customer.id, childId: customer.childId });
}

async function providerTask({ app }: Scene, videoId: string): Promise<string> {
  const { id } = await newestJob(app.db, videoId);
  return z.string().parse(
    await value(app.db, "select provider_task_id as value from public.video_jobs where id = $1", [
      id,
    ]),
  );
}

async function endedUnknown(scene: Scene, videoId: string): Promise<void> {
  const { app } = scene;
  const attempts = (await jobsOf(app.db, videoId)).map((job) => [job.status, job.error_code]);
  assertEquals(attempts, [["failed", "unknown_outcome"]]);
  assertEquals((await videoOf(app.db, videoId)).status, "failed");
  assertEquals(await balance(scene), 10);
  assertEquals((await entriesOf(app.db, videoId)).map((entry) => entry["kind"]), [
    "charge",
    "refund",
  ]);
  assertEquals(
    await value(app.db, "select count(*)::int as value from public.unknown_outcomes"),
    1,
  );
}

Deno.test("runway: a video is handed over, rendered, stored and charged once, and its cost is known", () =>
  withRunway(async (scene) => {
    const { app, runway } = scene;
    const videoId = await queued(app, scene.customer);
    await work(app, "submit-videos");
    const task = await providerTask(scene, videoId);
    assertEquals((await videoOf(app.db, videoId)).stage, "analyzing");
    await polled(app);
    assertEquals((await videoOf(app.db, videoId)).stage, "generating");
    runway.control.finish(task);
    await polled(app);
    await stored(app);
    assertEquals((await videoOf(app.db, videoId)).status, "completed");
    const { id } = await newestJob(app.db, videoId);
    const cost = "select cost_usd::float8 as value from public.video_jobs where id = $1";
    assertEquals(await value(app.db, cost, [id]), 0.6);
    assertEquals([bought(scene), await balance(scene)], [1, 0]);
  }));

for (const fault of ["lostAck", "lateServerError", "badJson"] as const) {
  Deno.test(`runway: a create whose answer is lost (${fault}) is never sent again: refunded, and told to the operator`, () =>
    withRunway(async (scene) => {
      const { app, runway } = scene;
      // Over a connection that was used before, which a runtime would repeat a request on.
      const first = await queued(app, await newCustomer(app));
      await work(app, "submit-videos");
      assertEquals([bought(scene), (await videoOf(app.db, first)).status], [1, "processing"]);

      runway.control.configure({ [fault]: { next: 1 } });
      const videoId = await queued(app, scene.customer);
      await work(app, "submit-videos");
      await muchLater(scene);
      assertEquals([bought(scene), runway.control.state().counts.creates], [2, 2]);
      await endedUnknown(scene, videoId);
    }));
}

Deno.test("runway: a worker that dies while a create is under way buys nothing twice", () =>
  withRunway(async (scene) => {
    const { app, runway, customer } = scene;
    const videoId = await queued(app, customer);
    runway.control.configure({ hungAck: { next: 1 } });
    const worker = work(app, "submit-videos").catch(() => "died");
    await until("Runway has the task", () => Promise.resolve(bought(scene) === 1 || undefined));
    await app.functions.restart();
    await worker;
    await muchLater(scene);
    assertEquals([bought(scene), runway.control.state().counts.creates], [1, 1]);
    await endedUnknown(scene, videoId);
  }));

Deno.test("runway: turned away for its pace or an empty account, a video waits and is bought once", () =>
  withRunway(async (scene) => {
    const { app, runway, customer } = scene;
    const videoId = await queued(app, customer);
    const reason = "select pause_reason as value from app.providers where name = 'runway'";
    for (
      const [fault, code] of [
        ["rateLimit", "http_429"],
        ["insufficientCredits", "insufficient_credits"],
      ] as const
    ) {
      runway.control.configure({ [fault]: { next: 1, on: "submit" } });
      await work(app, "submit-videos");
      assertEquals([bought(scene), await value(app.db, reason)], [0, code]);
      assertEquals((await videoOf(app.db, videoId)).status, "queued");
      await passTime(app.db, "6 minutes");
      await work(app, "maintain");
    }
    await work(app, "submit-videos");
    assertEquals((await jobsOf(app.db, videoId)).map(({ status }) => status), ["processing"]);
    assertEquals(bought(scene), 1);
  }));

Deno.test("F21 runway: a link that died before the copy is had anew by asking again", () =>
  withRunway(async (scene) => {
    const { app, runway, customer } = scene;
    const videoId = await queued(app, customer);
    await work(app, "submit-videos");
    const task = await providerTask(scene, videoId);
    runway.control.finish(task);
    await polled(app);
    runway.control.expire(task);
    await stored(app);
    assertEquals((await videoOf(app.db, videoId)).status, "completed");
    assertEquals([bought(scene), runway.control.state().counts.mediaGets], [1, 2]);
  }));

Deno.test("runway: refused by moderation a video fails at once and is refunded; an engine's failure is tried anew", () =>
  withRunway(async (scene) => {
    const { app, runway, customer } = scene;
    const videoId = await queued(app, customer);
    await work(app, "submit-videos");
    runway.control.fail(await providerTask(scene, videoId), "THIRD_PARTY.UNAVAILABLE");
    await polled(app);
    assertEquals((await videoOf(app.db, videoId)).status, "queued");
    await passTime(app.db, "1 minute");
    await work(app, "submit-videos");
    runway.control.fail(await providerTask(scene, videoId), "SAFETY.OUTPUT.VIDEO");
    await polled(app);
    const { status, error_code, error_message } = await videoOf(app.db, videoId);
    assertEquals([status, error_code], ["failed", "content_refused"]);
    assert(!String(error_message).includes("SAFETY"));
    assertEquals([bought(scene), await balance(scene)], [2, 10]);
  }));

Deno.test("runway: it rings nobody, so it is asked when a poll is due, however long its model takes", () =>
  withRunway(async (scene) => {
    const { app, runway, customer } = scene;
    await app.db.query(
      `insert into app.model_stats (provider, model, median_seconds, samples)
       values ('runway', 'gen4.5', 3600, 10)`,
    );
    await app.db.query(
      `insert into public.provider_events (provider, video_job_id, hash, payload)
       values ('runway', gen_random_uuid(), 'forged', '{}')`,
    );
    const videoId = await queued(app, customer);
    await work(app, "submit-videos");
    runway.control.finish(await providerTask(scene, videoId));
    await polled(app);
    assertEquals(runway.control.state().counts.polls, 1);
    assertEquals((await videoOf(app.db, videoId)).status, "rendering");
  }, { webhooks: "on" }));

Deno.test("runway: what its owner cancels or deletes is cancelled there too, once, and is not paid for", () =>
  withRunway(async (scene) => {
    const { app, runway } = scene;
    for (const end of ["cancelled", "deleted"]) {
      const customer = await newCustomer(app, { gems: 10 });
      const videoId = await queued(app, customer);
      await work(app, "submit-videos");
      const headers = headersOf(app, customer);
      if (end === "cancelled") {
        const body = JSON.stringify({ video_id: videoId });
        assertEquals((await call(app, "cancel-video", { headers, body })).status, 200);
      } else {
        const { error } = await customer.client.rpc("delete_videos", { p_video_ids: [videoId] });
        assertEquals(error, null);
      }
      for (let time = 0; time < 2; time++) await polled(app);
    }
    const { counts, tasks, creditBalance } = runway.control.state();
    assertEquals([counts.accepted, counts.cancels], [2, 2]);
    assertEquals(tasks.map(({ status }) => status), ["CANCELLED", "CANCELLED"]);
    assertEquals(creditBalance, 1_000_000);
  }));

Deno.test("runway: whatever poll_steps says, one task is left alone as long as Runway asks for", () =>
  withRunway(async (scene) => {
    const { app, customer } = scene;
    // Long enough that no slow machine can tell it from poll_steps.
    await app.db.query("update app.providers set min_poll_seconds = 600 where name = 'runway'");
    const videoId = await queued(app, customer);
    const left = async () =>
      Number(
        await value(
          app.db,
          "select extract(epoch from next_poll_at - clock_timestamp()) as value from public.video_jobs where video_id = $1",
          [videoId],
        ),
      );
    await work(app, "submit-videos");
    assert(await left() > 300);
    await passTime(app.db, "11 minutes");
    await work(app, "poll-videos");
    assert(await left() > 300);
    assertEquals(scene.runway.control.state().counts.polls, 1);
  }));
