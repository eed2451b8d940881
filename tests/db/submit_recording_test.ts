import { assertEquals } from "@std/assert";
import type { Database, Sql } from "../../shared/db/database.ts";
import { settleVideoJobs } from "../../shared/db/poll_calls.ts";
import { openQueue } from "../../shared/db/queue.ts";
import { recordSubmissions, type StartedSubmission } from "../../shared/db/submit_calls.ts";
import { createLog } from "../../shared/log.ts";
import type { VideoProvider } from "../../shared/providers/provider.ts";
import { submitToProvider } from "../../shared/stages/submit.ts";
import { newFamily, queueVideo, value } from "../support/fixtures.ts";
import { quiet, withSql } from "../support/sql.ts";
import { choking } from "../support/submit_rounds.ts";

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

Deno.test("answers wait for locks as long as they are told, until their transaction ends", async () => {
  await withSql(async (db) => {
    const after = (write: (sql: Sql) => Promise<unknown>) =>
      db.transaction(async (sql) => {
        await write(sql);
        return await value(sql, "select current_setting('lock_timeout') as value");
      });
    assertEquals(await after((sql) => recordSubmissions(sql, [], "w", "250ms")), "250ms");
    assertEquals(await after((sql) => recordSubmissions(sql, [], "w")), "10s");
    assertEquals(await after((sql) => settleVideoJobs(sql, [], "250ms")), "250ms");
    assertEquals(await after((sql) => settleVideoJobs(sql, [])), "3s");
  });
});
