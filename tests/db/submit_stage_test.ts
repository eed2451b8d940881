import { assertEquals } from "@std/assert";
import type { Database } from "../../shared/db/database.ts";
import type { Batch } from "../../shared/stages/batch_of_each.ts";
import type { LeaseClock } from "../../shared/stages/lease.ts";
import { submitToProvider, type TaskBuilder } from "../../shared/stages/submit.ts";
import { videoTaskBuilder } from "../../shared/stages/video_task.ts";
import type { SubmitOutcome, VideoProvider, VideoTask } from "../../shared/providers/provider.ts";
import { openQueue } from "../../shared/db/queue.ts";
import type { StartedSubmission } from "../../shared/db/submit_calls.ts";
import { modelsOf } from "../../shared/providers/registry.ts";
import {
  balanceOf,
  type Family,
  newestJob,
  newFamily,
  passTime,
  queueVideo,
  value,
  videoOf,
} from "../support/fixtures.ts";
import { createLog } from "../../shared/log.ts";
import { quiet, withSql } from "../support/sql.ts";
import { type Received, withStandIn } from "../support/runware_support.ts";

/** A provider that answers a whole call with an error when one task is among it. */
function choking(poison: { id?: string }, calls: number[]): VideoProvider {
  return {
    name: "runware",
    choosesTaskId: true,
    callsBack: true,
    submitBatch: 20,
    pollBatch: 50,
    mediaHosts: [],
    submit(tasks: readonly VideoTask[]): Promise<SubmitOutcome[]> {
      calls.push(tasks.length);
      const choked = tasks.some((task) => task.id === poison.id);
      return Promise.resolve(tasks.map(({ id }): SubmitOutcome =>
        choked
          ? {
            id,
            outcome: "unknown",
            error: { kind: "server", code: "http_500", message: "oops", raw: null },
          }
          : { id, outcome: "accepted", providerTaskId: id }
      ));
    },
    poll: () => Promise.resolve([]),
    parseEvent: () => [],
    balanceUsd: () => Promise.resolve(0),
  };
}

/** What a worker is held up by, and what it sees of that. */
interface Holdup {
  readonly clock: LeaseClock;
  /** Called while it works on the tasks. */
  readonly building?: () => void;
  /** Instead of one that can build anything. */
  readonly build?: TaskBuilder;
}

function buildAnything(building?: () => void): TaskBuilder {
  return ({ video_job_id: id, model }) => {
    building?.();
    return Promise.resolve({ id, model, prompt: "x", durationSeconds: 8 });
  };
}

async function round(
  db: Database,
  provider: VideoProvider,
  { clock, building, build = buildAnything(building) }: Partial<Holdup> = {},
): Promise<Batch> {
  const queue = openQueue(db, quiet);
  await queue.ready();
  const tools = { database: db, queue, node: crypto.randomUUID(), log: quiet };
  const batch = await submitToProvider(
    tools,
    provider,
    build,
    clock === undefined ? {} : { clock },
  );
  await queue.close();
  return batch;
}

Deno.test("one task that makes the provider choke does not keep the others from being made", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 1000 });
    for (let i = 0; i < 12; i++) await queueVideo(db, family);
    const poison = {
      id: String(await value(db, "select id as value from public.video_jobs order by id limit 1")),
    };
    const calls: number[] = [];
    const accepted = () =>
      value(db, "select count(*)::int as value from public.video_jobs where status = 'processing'");
    await round(db, choking(poison, calls));
    assertEquals([await accepted(), calls], [0, [12]], "once is no reason to ask for each alone");
    await passTime(db, "1 minute");
    await round(db, choking(poison, calls));
    assertEquals(await accepted(), 11);
    assertEquals(await db.query("select * from app.invariants"), []);
  });
});

/** Twelve plain orders, and one between them: its answer, and what became of the attempts. */
async function amongTwelve(db: Database, order: (family: Family) => Promise<string>) {
  const family = await newFamily(db, { gems: 1000 });
  for (let i = 0; i < 6; i++) await queueVideo(db, family);
  const id = await order(family);
  for (let i = 0; i < 6; i++) await queueVideo(db, family);
  const others =
    "select count(*)::int as value from public.video_jobs where video_id <> $1 and status = 'processing'";
  return { family, id, accepted: () => value(db, others, [id]) };
}

Deno.test("an order whose options nobody can read is refunded, and keeps no other from being made", async () => {
  await withSql(async (db) => {
    const { family, id, accepted } = await amongTwelve(db, async ({ userId }) =>
      String(
        await value(db, "select public.queue_video($1, $2, 'h', 60) ->> 'video_id' as value", [
          userId,
          {
            ...{ kind: "prompt", prompt: "A fox", provider: "runware", model: "pixverse:1@5-fast" },
            options: { duration: "5", resolution: "720p" },
          },
        ]),
      ));
    const storage = { signedUrl: () => Promise.reject(new Error("Nothing is signed here")) };
    const build = videoTaskBuilder({
      models: await modelsOf("runware"),
      webhook: { secrets: ["s".repeat(32)] },
      functionName: "runware-webhook",
      storage: { ...storage, remove: () => Promise.resolve() },
    });
    await round(db, choking({}, []), { build });
    assertEquals(await accepted(), 12);
    const { status, error_code } = await videoOf(db, id);
    assertEquals([status, error_code], ["failed", "invalid_request"]);
    assertEquals(await balanceOf(db, family), 1000 - 12 * 10);
    assertEquals(await db.query("select * from app.invariants"), []);
  });
});

Deno.test("an attempt that cannot even be ended keeps no other from being handed over", async () => {
  await withSql(async (db) => {
    const { family, id, accepted } = await amongTwelve(
      db,
      async (family) => (await queueVideo(db, family)).video_id,
    );
    await db.query("update public.video_jobs set claim_count = 5 where video_id = $1", [id]);
    await db.query(
      `alter table public.gem_entries add constraint no_refund
       check (kind <> 'refund' or user_id <> '${family.userId}')`,
    );
    await round(db, choking({}, []));
    assertEquals([await accepted(), (await videoOf(db, id)).status], [12, "queued"]);
    await db.query("alter table public.gem_entries drop constraint no_refund");
    await db.query("select app.reconcile()");
    await round(db, choking({}, []));
    assertEquals((await videoOf(db, id)).status, "failed");
    assertEquals(await balanceOf(db, family), 1000 - 12 * 10);
    assertEquals(await db.query("select * from app.invariants"), []);
  });
});

Deno.test("a video that our own mistake keeps from being put into words waits, and keeps no other from being made", async () => {
  await withSql(async (db) => {
    await db.query("update app.settings set breaker_failures = 1");
    const { id, accepted } = await amongTwelve(
      db,
      async (family) => (await queueVideo(db, family)).video_id,
    );
    const { id: job } = await newestJob(db, id);
    const build: TaskBuilder = (submission) =>
      submission.video_job_id === job
        ? Promise.reject(new Error("A mistake of ours"))
        : buildAnything()(submission);
    await round(db, choking({}, []), { build });
    assertEquals([await accepted(), (await videoOf(db, id)).status], [12, "queued"]);
    await passTime(db, "1 minute");
    await round(db, choking({}, []));
    assertEquals((await videoOf(db, id)).status, "processing");
    assertEquals(await db.query("select * from app.invariants"), []);
  });
});

Deno.test("jobs of attempts that are over are cleared away without a pause: whoever stands behind them is next", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 20 });
    const { video_id } = await queueVideo(db, family);
    await db.query("select public.cancel_video($1, $2)", [family.userId, video_id]);
    const calls: number[] = [];
    assertEquals(await round(db, choking({ id: "" }, calls)), { taken: 1, fullness: 1 });
    await queueVideo(db, family);
    assertEquals(await round(db, choking({ id: "" }, calls)), { taken: 1, fullness: 1 / 20 });
    assertEquals(calls, [1]);
    assertEquals(await round(db, choking({ id: "" }, calls)), { taken: 0, fullness: 0 });
  });
});

/** A clock that is moved by hand. Milliseconds. */
function handClock() {
  const at = { wall: 1_800_000_000_000, steady: 5_000 };
  return { at, clock: { wall: () => at.wall, steady: () => at.steady } };
}

const statuses = async (db: Database) =>
  (await db.query("select status from public.video_jobs")).map((row) => row["status"]);

for (
  const [what, wall, steady] of [["slept", 40_000, 0], ["worked", -3_600_000, 40_000]] as const
) {
  for (const choosesTaskId of [true, false]) {
    Deno.test(`a worker that ${what} until its lease was nearly over hands nothing over (ids ${choosesTaskId ? "ours" : "theirs"})`, async () => {
      await withSql(async (db) => {
        await db.query("update app.providers set chooses_task_id = $1", [choosesTaskId]);
        await db.query("update app.settings set breaker_failures = 1");
        const family = await newFamily(db, { gems: 10 });
        await queueVideo(db, family);
        const calls: number[] = [];
        const provider = { ...choking({}, calls), choosesTaskId };
        const { at, clock } = handClock();
        const building = () => {
          at.wall += wall;
          at.steady += steady;
        };
        await round(db, provider, { clock, building });
        assertEquals([calls, await statuses(db)], [[], ["pending"]]);
        // It is nobody's fault but ours: the provider does not rest, and the attempt is as good as new.
        assertEquals(await value(db, "select app.free_slots('runware') > 1 as value"), true);
        await passTime(db, "20 seconds");
        await round(db, provider, { clock });
        assertEquals([calls, await statuses(db)], [[1], ["processing"]]);
        assertEquals(await db.query("select * from app.invariants"), []);
      });
    });
  }
}

Deno.test("a batch that is halved stops with the lease, and the rest is handed over again", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 1000 });
    for (let i = 0; i < 12; i++) await queueVideo(db, family);
    const sizes: number[] = [];
    const { at, clock } = handClock();
    const started = at.steady;
    /** Chokes on all, and takes its time for it. */
    const provider: VideoProvider = {
      ...choking({}, []),
      submit(tasks) {
        sizes.push(tasks.length);
        at.steady += 12_000;
        const error = { kind: "server", code: "http_500", message: "oops", raw: null } as const;
        return Promise.resolve(tasks.map(({ id }) => ({ id, outcome: "unknown", error })));
      },
    };
    await round(db, provider, { clock });
    await passTime(db, "1 minute");
    at.steady = started;
    await round(db, provider, { clock });
    assertEquals(sizes, [12, 12, 6]);
    assertEquals(new Set(await statuses(db)), new Set(["claimed"]));
    assertEquals(await db.query("select * from app.invariants"), []);
  });
});

Deno.test("a bad task is looked for while the lease lasts, and what was not sent by then is as good as new", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 1000 });
    for (let i = 0; i < 12; i++) await queueVideo(db, family);
    const { at, clock } = handClock();
    /** Takes twelve seconds to turn a whole call away. */
    const slowly = ({ tasks }: Received) => {
      at.steady += 12_000;
      const error = { code: "invalidPrompt", message: `${tasks.length} prompts` };
      return { status: 400, body: { errors: [error] } };
    };
    await withStandIn(slowly, async ({ provider, received }) => {
      await round(db, provider, { clock });
      // The third would begin after 24 s and may take 26 s, and the lease is one of 45 s.
      assertEquals(received.map(({ tasks }) => tasks.length), [12, 6]);
    });
    assertEquals(new Set(await statuses(db)), new Set(["pending"]));
    await passTime(db, "20 seconds");
    await withStandIn({ body: { data: [] } }, async ({ provider, received }) => {
      await round(db, provider);
      assertEquals(received.map(({ tasks }) => tasks.length), [12]);
    });
    assertEquals(new Set(await statuses(db)), new Set(["processing"]));
    assertEquals(await db.query("select * from app.invariants"), []);
  });
});

Deno.test("two attempts that the provider gives one task: the first has it, the other is in doubt, and nobody else is held up", async () => {
  await withSql(async (db) => {
    await db.query("update app.providers set chooses_task_id = false");
    const family = await newFamily(db, { gems: 30 });
    for (let i = 0; i < 3; i++) await queueVideo(db, family);
    const provider: VideoProvider = {
      ...choking({}, []),
      choosesTaskId: false,
      submit: (tasks) =>
        Promise.resolve(tasks.map(({ id }, index) => ({
          ...{ id, outcome: "accepted" as const },
          providerTaskId: index < 2 ? "task-x" : "task-y",
        }))),
    };
    await round(db, provider);
    assertEquals((await statuses(db)).toSorted(), ["claimed", "processing", "processing"]);
    const tasks = await db.query(
      "select provider_task_id as task from public.video_jobs where status = 'processing' order by 1",
    );
    assertEquals(tasks, [{ task: "task-x" }, { task: "task-y" }]);
    await passTime(db, "5 minutes");
    await db.query("update pgboss.job set state = 'retry' where state = 'active'");
    await round(db, provider);
    assertEquals(
      await db.query("select error_code from public.video_jobs where status = 'failed'"),
      [{ error_code: "unknown_outcome" }],
    );
    assertEquals(await db.query("select * from app.invariants"), []);
  });
});

/** The connection breaks, or Postgres does not take the call, at the first `times` answers that are recorded. */
function unsteady(db: Database, times: number, broken: Error): Database {
  let left = times;
  return {
    ...db,
    transaction: (work) =>
      db.transaction((sql) =>
        work({
          query: async (text, values) => {
            const rows = await sql.query(text, values);
            if (text.includes("record_submissions") && left-- > 0) throw broken;
            return rows;
          },
        })
      ),
  };
}

const shutDown = Object.assign(new Error("terminating connection"), { code: "57P01" });

for (
  const [what, broken] of [
    ["is shut down", shutDown],
    ["is cut off", new Error("Connection terminated unexpectedly")],
    ["has no connection left", new Error("timeout exceeded when trying to connect")],
  ] as const
) {
  Deno.test(`what a provider took is recorded though the database ${what} for a moment`, async () => {
    await withSql(async (db) => {
      await db.query("update app.providers set chooses_task_id = false");
      const family = await newFamily(db, { gems: 30 });
      for (let i = 0; i < 3; i++) await queueVideo(db, family);
      const pauses: number[] = [];
      const { logged } = await submitUnsteadily(unsteady(db, 4, broken), pauses);
      assertEquals(pauses, [250, 500, 1_000, 2_000]);
      assertEquals(logged, []);
      assertEquals(
        await value(
          db,
          "select count(*)::int as value from public.video_jobs where provider_task_id like 'theirs-%'",
        ),
        3,
      );
    });
  });
}

Deno.test("what cannot be recorded for a quarter of a minute is in the log, with its task", async () => {
  await withSql(async (db) => {
    await queueVideo(db, await newFamily(db, { gems: 10 }));
    const pauses: number[] = [];
    const { logged, failure } = await submitUnsteadily(unsteady(db, 99, shutDown), pauses);
    assertEquals(failure, shutDown);
    assertEquals(pauses.reduce((sum, one) => sum + one, 0), 15_750);
    assertEquals(logged.map((line) => line.includes("theirs-")), [true]);
  });
});

/** Hands over to a provider with ids of its own. Answers what was logged as an error. */
async function submitUnsteadily(db: Database, pauses: number[]) {
  const queue = openQueue(db, quiet);
  await queue.ready();
  const logged: string[] = [];
  const log = createLog({}, (line) => {
    if (line.includes('"error"')) logged.push(line);
  });
  const provider: VideoProvider = {
    ...choking({}, []),
    choosesTaskId: false,
    submit: (tasks) =>
      Promise.resolve(
        tasks.map(({ id }) => ({ id, outcome: "accepted", providerTaskId: `theirs-${id}` })),
      ),
  };
  const build = ({ video_job_id: id, model }: StartedSubmission) =>
    Promise.resolve({ id, model, prompt: "x", durationSeconds: 8 });
  const pause = (milliseconds: number) => {
    pauses.push(milliseconds);
    return Promise.resolve();
  };
  const tools = { database: db, queue, node: "w", log };
  const failure = await submitToProvider(tools, provider, build, { pause }).then(
    () => undefined,
    (error: unknown) => error,
  );
  await queue.close();
  return { logged, failure };
}
