import { assertEquals } from "@std/assert";
import type { Database } from "../../shared/db/database.ts";
import { reconcile } from "../../shared/db/maintain_calls.ts";
import { duePolls, settleVideoJobs } from "../../shared/db/poll_calls.ts";
import { openQueue } from "../../shared/db/queue.ts";
import { recordSubmissions, startSubmissions } from "../../shared/db/submit_calls.ts";
import { pollProvider } from "../../shared/stages/poll.ts";
import { submitToProvider } from "../../shared/stages/submit.ts";
import type { SubmitOutcome, TaskState, VideoProvider } from "../../shared/providers/provider.ts";
import {
  accept,
  balanceOf,
  brokenInvariants,
  deliver,
  jobsOf,
  newestJob,
  newFamily,
  passTime,
  queueVideo,
  value,
  videoOf,
} from "../support/fixtures.ts";
import { quiet, withSql } from "../support/sql.ts";

/** A provider that gives tasks ids of its own, and loses its answers as told. It bills what it takes. */
function forgetful(lost: "answer" | "worker"): VideoProvider & { readonly bought: string[] } {
  const bought: string[] = [];
  return {
    bought,
    name: "runware",
    choosesTaskId: false,
    callsBack: true,
    submitBatch: 20,
    pollBatch: 50,
    mediaHosts: [],
    submit(tasks): Promise<SubmitOutcome[]> {
      bought.push(...tasks.map((task) => task.id));
      if (lost === "worker") return Promise.reject(new Error("The worker died here"));
      const error = { kind: "server", code: "network", message: "reset", raw: null } as const;
      return Promise.resolve(tasks.map(({ id }) => ({ id, outcome: "unknown", error })));
    },
    poll: () => Promise.resolve([]),
    parseEvent: () => [],
    balanceUsd: () => Promise.resolve(0),
  };
}

async function submit(db: Database, provider: VideoProvider): Promise<void> {
  const queue = openQueue(db, quiet);
  await queue.ready();
  const tools = { database: db, queue, node: crypto.randomUUID(), log: quiet };
  await submitToProvider(
    tools,
    provider,
    ({ video_job_id, model }) =>
      Promise.resolve({ id: video_job_id, model, prompt: "x", durationSeconds: 8 }),
  ).catch(() => {});
  await passTime(db, "5 minutes");
  await queue.supervise();
  await passTime(db, "5 minutes");
  await queue.close();
}

async function withoutOurIds(work: (db: Database) => Promise<void>): Promise<void> {
  await withSql(async (db) => {
    await db.query("update app.providers set chooses_task_id = false");
    await work(db);
    assertEquals(await brokenInvariants(db), []);
  });
}

for (const lost of ["answer", "worker"] as const) {
  Deno.test(`without an id of ours a lost ${lost} never buys twice: refunded, and told to the operator`, async () => {
    await withoutOurIds(async (db) => {
      const family = await newFamily(db, { gems: 10 });
      const { video_id } = await queueVideo(db, family);
      const provider = forgetful(lost);
      for (let round = 0; round < 4; round++) await submit(db, provider);
      assertEquals(provider.bought.length, 1);
      assertEquals((await jobsOf(db, video_id)).map((job) => job.error_code), ["unknown_outcome"]);
      assertEquals((await videoOf(db, video_id)).status, "failed");
      assertEquals(await balanceOf(db, family), 10);

      const margins = "select sum(costs_unknown)::int as value from app.margins";
      assertEquals(await value(db, margins), 1, "it may have been paid for");
      const told = () => value(db, "select public.health_report() -> 'unknown_outcomes' as value");
      assertEquals(await told(), 1);
      await db.query(
        "update public.unknown_outcomes set resolved_at = now(), resolution = 'Not billed'",
      );
      assertEquals(await told(), 0);
    });
  });
}

for (const [policy, end, attempts] of [["refund", "failed", 1], ["retry", "queued", 2]] as const) {
  Deno.test(`a task that its provider took and does not know any more may have been paid for: ${policy} by the setting`, async () => {
    await withoutOurIds(async (db) => {
      await db.query("update app.settings set unknown_outcome = $1", [policy]);
      const family = await newFamily(db, { gems: 10 });
      const { video_id } = await queueVideo(db, family);
      const id = await accept(db, video_id);
      const provider: VideoProvider = {
        ...forgetful("answer"),
        poll: (ids) =>
          Promise.resolve(ids.map((id) => ({
            id,
            state: "missing",
            error: { kind: "not_found", code: "http_404", message: "No such task", raw: null },
          }))),
      };
      const tools = { database: db, queue: openQueue(db, quiet), node: "w", log: quiet };
      await passTime(db, "1 minute");
      await pollProvider(tools, provider);
      assertEquals((await videoOf(db, video_id)).status, "processing", "it may be seen later");
      await passTime(db, "2 minutes");
      await pollProvider(tools, provider);
      const jobs = await jobsOf(db, video_id);
      assertEquals([jobs[0]?.error_code, jobs.length], ["unknown_outcome", attempts]);
      assertEquals((await videoOf(db, video_id)).status, end);
      assertEquals(
        await db.query(
          "select video_job_id, provider_task_id, provider_error ->> 'message' as said from public.unknown_outcomes",
        ),
        [{ video_job_id: id, provider_task_id: id, said: "No such task" }],
      );
    });
  });
}

Deno.test("by the operator's setting a fresh attempt is made instead, under an id of its own", async () => {
  await withoutOurIds(async (db) => {
    await db.query("update app.settings set unknown_outcome = 'retry'");
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    const provider = forgetful("answer");
    for (let round = 0; round < 5; round++) await submit(db, provider);
    assertEquals(new Set(provider.bought).size, 3);
    assertEquals(provider.bought.length, 3);
    assertEquals((await videoOf(db, video_id)).status, "failed");
    assertEquals(await balanceOf(db, family), 10);
  });
});

/** What the operator is to look up. */
const doubts = (db: Database) =>
  value(db, "select public.health_report() -> 'unknown_outcomes' as value");

/** No answer, or one that says: later. */
const noAnswer = (video_job_id: string, outcome: "unknown" | "held" | "failed") => ({
  ...{ video_job_id, outcome, code: "http_500", kind: "server", people_code: "provider_busy" },
  ...{ people_message: "Busy.", provider_error: null, delay_seconds: 3_600 },
});

/** A video that was handed over, and whose provider gave no answer: it waits for its turn again. */
async function inDoubt(db: Database) {
  const family = await newFamily(db, { gems: 10 });
  const { video_id } = await queueVideo(db, family);
  const { id } = await newestJob(db, video_id);
  await startSubmissions(db, [id], "w");
  await recordSubmissions(db, [noAnswer(id, "unknown")], "w");
  return { family, video_id, id };
}

Deno.test("a callback names the task of an open doubt, and neither renames it nor touches a closed one", async () => {
  await withoutOurIds(async (db) => {
    const { video_id } = await queueVideo(db, await newFamily(db, { gems: 10 }));
    await submit(db, forgetful("answer"));
    const [job] = await jobsOf(db, video_id);
    const tell = async (task_id: string, task_state: string) => {
      const event = {
        ...{ video_job_id: job?.id, hash: crypto.randomUUID(), payload: {}, task_id, task_state },
      };
      await db.query("select public.record_provider_events('runware', $1)", [
        JSON.stringify([event]),
      ]);
      const [told] = await db.query(
        "select provider_task_id as task, provider_state as state from public.unknown_outcomes",
      );
      return [told?.["task"], told?.["state"]];
    };
    assertEquals(await tell("task-x", "processing"), ["task-x", "processing"]);
    assertEquals(await tell("task-y", "failed"), ["task-x", "processing"]);
    assertEquals(await tell("task-x", "succeeded"), ["task-x", "succeeded"]);
    await db.query(
      "update public.unknown_outcomes set resolved_at = now(), resolution = 'Billed'",
    );
    assertEquals(await tell("task-x", "failed"), ["task-x", "succeeded"]);
  });
});

Deno.test("a worker that dies at the queued deadline with the purchase made: an unknown outcome, not one that never started", async () => {
  await withoutOurIds(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    await passTime(db, "239 minutes");
    await startSubmissions(db, [(await newestJob(db, video_id)).id], "dead");
    await passTime(db, "2 minutes");
    assertEquals((await reconcile(db))["never_started"], 1);
    assertEquals((await jobsOf(db, video_id)).map((job) => job.error_code), ["unknown_outcome"]);
    assertEquals(await balanceOf(db, family), 10);
    assertEquals(await doubts(db), 1);
  });
});

Deno.test("an attempt that waits for its turn and may have been bought is asked about meanwhile", async () => {
  await withSql(async (db) => {
    const { video_id, id } = await inDoubt(db);
    await passTime(db, "2 minutes");
    const due = await duePolls(db, { provider: "runware", most: 9, webhooks: "on" });
    assertEquals(due.map((poll) => [poll.video_job_id, poll.quiet]), [[id, false]]);
    await deliver(db, id);
    assertEquals((await videoOf(db, video_id)).status, "rendering");
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("that the provider does not know an attempt says nothing while it waits to be handed over again", async () => {
  await withSql(async (db) => {
    const { video_id, id } = await inDoubt(db);
    const missing = {
      ...{ video_job_id: id, state: "failed" as const, code: "taskNotFound", kind: "not_found" },
      ...{ people_code: "provider_failed", people_message: "No.", provider_error: null },
      retry_seconds: 5,
    };
    assertEquals(await settleVideoJobs(db, [missing]), []);
    assertEquals((await jobsOf(db, video_id)).map((job) => job.status), ["claimed"]);
  });
});

Deno.test("that the provider did not know an attempt says nothing once it was handed over since", async () => {
  await withSql(async (db) => {
    const { video_id } = await inDoubt(db);
    await passTime(db, "3 minutes");
    const missing = (ids: readonly string[]): TaskState[] =>
      ids.map((id) => ({
        ...{ id, state: "missing" },
        error: { kind: "not_found", code: "taskNotFound", message: "No such task", raw: null },
      }));
    const provider = { ...forgetful("answer"), choosesTaskId: true };
    const tools = { database: db, queue: openQueue(db, quiet), node: "w", log: quiet };
    const statuses = async () => (await jobsOf(db, video_id)).map((job) => job.status);
    const forgotten = {
      ...provider,
      poll: (ids: readonly string[]) => Promise.resolve(missing(ids)),
    };
    await pollProvider(tools, forgotten);
    await passTime(db, "3 minutes");
    await pollProvider(tools, {
      ...provider,
      // Truly unknown when it is asked; before the answer is here, it is handed over and taken.
      poll: async (ids) => {
        await accept(db, video_id);
        return missing(ids);
      },
    });
    assertEquals(await statuses(), ["processing"]);
    for (const now of [["processing"], ["failed", "pending"]]) {
      await passTime(db, "3 minutes");
      await pollProvider(tools, forgotten);
      assertEquals(await statuses(), now, "unknown twice more, it is forgotten");
    }
  });
});

Deno.test("given up after hours in doubt: refunded, and told to the operator", async () => {
  await withSql(async (db) => {
    const { family, video_id } = await inDoubt(db);
    await passTime(db, "241 minutes");
    assertEquals((await reconcile(db))["never_started"], 1);
    assertEquals((await videoOf(db, video_id)).error_code, "not_started");
    assertEquals([await balanceOf(db, family), await doubts(db)], [10, 1]);
  });
});

Deno.test("handed over just before the queued deadline, with no answer: asked about before it is given up", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    const { id } = await newestJob(db, video_id);
    await passTime(db, "239 minutes");
    await startSubmissions(db, [id], "w");
    await recordSubmissions(db, [noAnswer(id, "unknown")], "w");
    await passTime(db, "2 minutes");
    assertEquals((await reconcile(db))["never_started"], 0);
    assertEquals(
      (await duePolls(db, { provider: "runware", most: 9, webhooks: "off" })).length,
      1,
    );
    await passTime(db, "9 minutes");
    assertEquals((await reconcile(db))["never_started"], 1);
    assertEquals([await balanceOf(db, family), await doubts(db)], [10, 1]);
  });
});

Deno.test("deleted with its account while it is handed over: told to the operator", async () => {
  await withoutOurIds(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    await startSubmissions(db, [(await newestJob(db, video_id)).id], "dead");
    // As Auth's dashboard does it.
    await db.query("delete from auth.users where id = $1", [family.userId]);
    assertEquals(await value(db, "select count(*)::int as value from public.videos"), 0);
    assertEquals(await doubts(db), 1);
  });
});

Deno.test("what a vanished worker may have bought is asked about before the queued deadline gives it up", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    await startSubmissions(db, [(await newestJob(db, video_id)).id], "dead");
    await passTime(db, "241 minutes");
    assertEquals((await reconcile(db))["never_started"], 0);
    assertEquals(
      (await duePolls(db, { provider: "runware", most: 9, webhooks: "off" })).length,
      1,
    );
    assertEquals((await reconcile(db))["never_started"], 1);
    assertEquals([await balanceOf(db, family), await doubts(db)], [10, 1]);
    assertEquals(await brokenInvariants(db), []);
  });
});

for (const outcome of ["held", "failed"] as const) {
  Deno.test(`what a vanished worker may have bought is not bought anew when it is ${outcome} for now`, async () => {
    await withSql(async (db) => {
      const family = await newFamily(db, { gems: 10 });
      const { video_id } = await queueVideo(db, family);
      await db.query(
        `update public.videos set fallbacks = '[{"provider": "kie", "model": "veo3_fast"}]'`,
      );
      const { id } = await newestJob(db, video_id);
      await startSubmissions(db, [id], "dead");
      await passTime(db, "1 minute");
      const [again] = await startSubmissions(db, [id], "w");
      assertEquals(again?.repeated, true);
      await recordSubmissions(db, [noAnswer(id, outcome)], "w");
      assertEquals((await jobsOf(db, video_id)).map((job) => job.status), ["claimed"]);
      assertEquals(
        (await duePolls(db, { provider: "runware", most: 9, webhooks: "on" })).length,
        1,
      );
    });
  });
}

Deno.test("an attempt that kills every worker may have been bought: told to the operator", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    const { id } = await newestJob(db, video_id);
    for (let i = 0; i < 6; i++) {
      await startSubmissions(db, [id], `worker ${i}`);
      await passTime(db, "1 minute");
    }
    assertEquals((await jobsOf(db, video_id)).map((job) => job.error_code), ["worker_lost"]);
    assertEquals([await balanceOf(db, family), await doubts(db)], [10, 1]);
  });
});
