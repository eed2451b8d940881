import { assertEquals } from "@std/assert";
import type { Database } from "../../shared/db/database.ts";
import { settleVideoJobs } from "../../shared/db/poll_calls.ts";
import { openQueue } from "../../shared/db/queue.ts";
import { recordSubmissions, startSubmissions } from "../../shared/db/submit_calls.ts";
import type { CancelOutcome, VideoProvider } from "../../shared/providers/provider.ts";
import { pollAll } from "../../shared/stages/poll.ts";
import { asUser } from "../support/as_user.ts";
import {
  accept,
  brokenInvariants,
  deliver,
  failAttempt,
  type Family,
  newestJob,
  newFamily,
  passTime,
  queueVideo,
  value,
} from "../support/fixtures.ts";
import { quiet, withSql } from "../support/sql.ts";

const down: CancelOutcome = {
  outcome: "unknown",
  error: { kind: "server", code: "http_503", message: "Busy", raw: null },
};
const unknownTask: CancelOutcome = {
  outcome: "missing",
  error: { kind: "not_found", code: "http_404", message: "No such task", raw: null },
};

/** A provider that can be told to stop, answers so, and notes what it is told. */
function stoppable(told: string[], answers: readonly CancelOutcome[] = []): VideoProvider {
  return {
    name: "runware",
    choosesTaskId: true,
    callsBack: false,
    submitBatch: 20,
    pollBatch: 50,
    mediaHosts: [],
    submit: () => Promise.resolve([]),
    poll: (ids) => Promise.resolve(ids.map((id) => ({ id, state: "processing" }))),
    parseEvent: () => [],
    balanceUsd: () => Promise.resolve(0),
    cancel(id) {
      const answer = answers[told.length] ?? { outcome: "cancelled" };
      told.push(id);
      return Promise.resolve(answer);
    },
  };
}

/** A database whose first provider can be told to stop a task. */
async function withStopping(work: (db: Database, family: Family) => Promise<void>) {
  await withSql(async (db) => {
    await db.query("update app.providers set can_cancel = true where name = 'runware'");
    await work(db, await newFamily(db, { gems: 100 }));
    assertEquals(await brokenInvariants(db), []);
  });
}

async function rendering(db: Database, family: Family) {
  const { video_id: videoId } = await queueVideo(db, family);
  return { videoId, task: await accept(db, videoId) };
}

const cancel = (db: Database, { userId }: Family, videoId: string) =>
  db.query("select public.cancel_video($1, $2)", [userId, videoId]);

const open = async (db: Database) =>
  (await db.query("select provider_task_id as task from app.cancellations"))
    .map(({ task }) => task);

const isDue = (db: Database) => value(db, "select app.work_due('poll') as value");

/** Polls with what is written down now made due. Answers what the provider was told to stop. */
async function poll(db: Database, answers: readonly CancelOutcome[] = []): Promise<string[]> {
  const told: string[] = [];
  await db.query("update app.cancellations set try_at = now() - interval '1 second'");
  const tools = { database: db, queue: openQueue(db, quiet), node: "w", log: quiet };
  await pollAll(tools, new Map([["runware", stoppable(told, answers)]]));
  return told;
}

Deno.test("cancelled while it is rendered: the provider is told once, and cron rings for it", () =>
  withStopping(async (db, family) => {
    const { videoId, task } = await rendering(db, family);
    assertEquals(await isDue(db), false);
    await cancel(db, family, videoId);
    await cancel(db, family, videoId);
    assertEquals([await open(db), await isDue(db)], [[task], true]);
    assertEquals(
      await value(db, "select public.health_report() ->> 'cancellations_open' as value"),
      "1",
    );
    assertEquals(await poll(db), [task]);
    assertEquals([await open(db), await isDue(db)], [[], false]);
  }));

Deno.test("whoever ends a render has the provider told: the deadline, a deletion, forgetting a child or a user", () =>
  withStopping(async (db) => {
    const ends: Record<string, (family: Family, videoId: string) => Promise<unknown>> = {
      async deadline(_family, videoId) {
        await passTime(db, "31 minutes");
        const { id } = await newestJob(db, videoId);
        const still = {
          video_job_id: id,
          state: "processing",
          progress: 85,
          eta_seconds: 1,
        } as const;
        return await settleVideoJobs(db, [still]);
      },
      async silence() {
        await passTime(db, "7 hours");
        return await db.query("select app.reconcile()");
      },
      deletion: ({ userId }, videoId) =>
        asUser(db, userId, "select public.delete_videos($1)", [[videoId]]),
      "forgetting a child": ({ userId, childId }) =>
        asUser(db, userId, "select public.forget_child($1)", [childId]),
      "forgetting a user": ({ userId }) => db.query("select public.forget_user($1)", [userId]),
      "the dashboard": ({ userId }) => db.query("delete from auth.users where id = $1", [userId]),
    };
    for (const [end, bringAbout] of Object.entries(ends)) {
      const family = await newFamily(db, { gems: 10 });
      const { videoId, task } = await rendering(db, family);
      await bringAbout(family, videoId);
      assertEquals(await open(db), [task], end);
      assertEquals(await poll(db), [task], end);
    }
  }));

Deno.test("what is not at the provider, or over by its own word, is nothing to stop", () =>
  withStopping(async (db, family) => {
    const { video_id: queued } = await queueVideo(db, family);
    await cancel(db, family, queued);
    const claimed = (await queueVideo(db, family)).video_id;
    await startSubmissions(db, [(await newestJob(db, claimed)).id], "w");
    await cancel(db, family, claimed);
    await failAttempt(db, (await rendering(db, family)).task, { final: true });
    await deliver(db, (await rendering(db, family)).task);
    assertEquals(await open(db), []);
  }));

Deno.test("a provider that cannot stop is not asked to", () =>
  withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { videoId } = await rendering(db, family);
    await cancel(db, family, videoId);
    assertEquals([await open(db), await isDue(db)], [[], false]);
  }));

Deno.test("cancelled, or deleted, while it is handed over: what the provider took after all is stopped", () =>
  withStopping(async (db, family) => {
    for (const deleted of [false, true]) {
      const { video_id: videoId } = await queueVideo(db, family);
      const { id } = await newestJob(db, videoId);
      await startSubmissions(db, [id], "w");
      await (deleted
        ? asUser(db, family.userId, "select public.delete_videos($1)", [[videoId]])
        : cancel(db, family, videoId));
      const taken = { video_job_id: id, outcome: "accepted", provider_task_id: "theirs" } as const;
      assertEquals(await recordSubmissions(db, [{ ...taken, provider: "runware" }], "w"), []);
      assertEquals(await poll(db), ["theirs"]);
    }
  }));

Deno.test("a worker that was given up for dead and has bought after all: the task is named to the operator, and stopped", () =>
  withStopping(async (db, family) => {
    await db.query("update app.providers set chooses_task_id = false where name = 'runware'");
    const { video_id: videoId } = await queueVideo(db, family);
    const { id } = await newestJob(db, videoId);
    await startSubmissions(db, [id], "slow");
    await passTime(db, "5 minutes");
    assertEquals(await startSubmissions(db, [id], "next"), []);
    const taken = { video_job_id: id, outcome: "accepted", provider_task_id: "theirs" } as const;
    assertEquals(await recordSubmissions(db, [{ ...taken, provider: "runware" }], "slow"), []);
    const told = "select provider_task_id as value from public.unknown_outcomes";
    assertEquals(await value(db, told), "theirs");
    assertEquals(await poll(db), ["theirs"]);
  }));

Deno.test("a task that the provider does not know any more is stopped; without an answer it is told again, later each time", () =>
  withStopping(async (db, family) => {
    const { videoId, task } = await rendering(db, family);
    await cancel(db, family, videoId);
    const waits = [];
    for (let time = 0; time < 3; time++) {
      assertEquals(await poll(db, [down]), [task]);
      waits.push(
        await value(
          db,
          // To ten seconds: some have gone by since.
          "select (10 * round(extract(epoch from try_at - clock_timestamp()) / 10))::int as value from app.cancellations",
        ),
      );
    }
    assertEquals(waits, [60, 120, 240]);
    assertEquals(await poll(db, [unknownTask]), [task]);
    assertEquals(await open(db), []);
  }));

Deno.test("a worker that dies between the call and its record only has it told again", () =>
  withStopping(async (db, family) => {
    const { videoId, task } = await rendering(db, family);
    await cancel(db, family, videoId);
    const told: string[] = [];
    const dying: Database = {
      ...db,
      query: (text, values) =>
        text.includes("finish_cancellations")
          ? Promise.reject(new Error("The worker died here"))
          : db.query(text, values),
    };
    const tools = { database: dying, queue: openQueue(db, quiet), node: "w", log: quiet };
    await pollAll(tools, new Map([["runware", stoppable(told)]])).catch(() => {});
    assertEquals([told, await open(db), await isDue(db)], [[task], [task], false]);
    assertEquals(await poll(db, [unknownTask]), [task]);
    assertEquals(await open(db), []);
  }));

Deno.test("two pollers at once tell of each task once", () =>
  withStopping(async (db, family) => {
    const tasks = [];
    for (let count = 0; count < 6; count++) {
      const { videoId, task } = await rendering(db, family);
      tasks.push(task);
      await cancel(db, family, videoId);
    }
    const told: string[] = [];
    const tools = { database: db, queue: openQueue(db, quiet), node: "w", log: quiet };
    const providers = new Map([["runware", stoppable(told)]]);
    await Promise.all([pollAll(tools, providers), pollAll(tools, providers)]);
    assertEquals(told.toSorted(), tasks.toSorted());
  }));

Deno.test("each provider is told of its own tasks", () =>
  withStopping(async (db, family) => {
    const { videoId, task } = await rendering(db, family);
    await cancel(db, family, videoId);
    await db.query(
      `insert into app.cancellations (video_job_id, provider, provider_task_id)
       values (gen_random_uuid(), 'runway', 'task of runway')`,
    );
    assertEquals(await poll(db), [task]);
    assertEquals(await open(db), ["task of runway"]);
  }));

Deno.test("telling ends: after eight tries it is given up, and what nobody could tell is forgotten", () =>
  withStopping(async (db, family) => {
    const { videoId } = await rendering(db, family);
    await cancel(db, family, videoId);
    let tries = 0;
    while ((await open(db)).length > 0) {
      await poll(db, [down]);
      tries += 1;
    }
    assertEquals(tries, 8);

    const { videoId: other } = await rendering(db, family);
    await cancel(db, family, other);
    await db.query("update app.cancellations set created_at = now() - interval '7 hours'");
    assertEquals(
      await isDue(db),
      false,
      "cron does not ring for a provider without a key forever",
    );
    await db.query("update app.cancellations set created_at = now() - interval '25 hours'");
    await db.query("select app.clean_up()");
    assertEquals(await open(db), []);
  }));
