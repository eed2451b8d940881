/** Rounds of the submit stage with providers that are not there. */
import type { Database } from "../../shared/db/database.ts";
import { openQueue } from "../../shared/db/queue.ts";
import type { StartedSubmission } from "../../shared/db/submit_calls.ts";
import type { SubmitOutcome, VideoProvider, VideoTask } from "../../shared/providers/provider.ts";
import type { Batch } from "../../shared/stages/batch_of_each.ts";
import type { LeaseClock } from "../../shared/stages/lease.ts";
import { submitToProvider, type TaskBuilder } from "../../shared/stages/submit.ts";
import { quiet } from "./sql.ts";

/** A provider that answers a whole call with an error when one task is among it. */
export function choking(poison: { id?: string }, calls: number[]): VideoProvider {
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
export interface Holdup {
  readonly clock: LeaseClock;
  /** Called while it works on the tasks. */
  readonly building?: () => void;
  /** Instead of one that can build anything. */
  readonly build?: TaskBuilder;
}

/** Builds a task of any order, in no time. */
export function buildAnything(building?: () => void): TaskBuilder {
  return ({ video_job_id: id, model }: StartedSubmission) => {
    building?.();
    return Promise.resolve({ id, model, prompt: "x", durationSeconds: 8 });
  };
}

/** One batch is handed over. */
export async function round(
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

/** Of all attempts. */
export async function statuses(db: Database): Promise<unknown[]> {
  return (await db.query("select status from public.video_jobs")).map((row) => row["status"]);
}
