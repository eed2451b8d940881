/**
 * Submitting: takes attempts from the queue, as many as the provider has free slots for, and hands
 * them over in one call of its port.
 *
 * Two transactions with the provider's call between them. A crash in between leaves the attempts
 * claimed; the queue gives them out again when the lease is over. Where the ids are ours, the provider
 * recognises them; where they are its own, the attempt ends as an unknown outcome. A worker that slept
 * in between calls nobody: its lease may be over. Who holds a video for long, such as an operator,
 * keeps no other from being handed over or written down.
 */
import { countBy } from "../count_by.ts";
import { isDataError, isLockTimeout, ONE_BY_ONE } from "../db/database.ts";
import { insist } from "../db/insist.ts";
import { submitQueue } from "../db/queue.ts";
import {
  prepareSubmitting,
  recordSubmissions,
  type StartedSubmission,
  startSubmissions,
  type SubmissionRecord,
  submissionSlots,
} from "../db/submit_calls.ts";
import type {
  CallOptions,
  ProviderError,
  SubmitOutcome,
  VideoProvider,
  VideoTask,
} from "../providers/provider.ts";
import { inHalves } from "../providers/in_halves.ts";
import { notSent } from "../providers/time_left.ts";
import { type Batch, batchOfEach } from "./batch_of_each.ts";
import { decideAbout, failureRecord } from "./failure.ts";
import { Lease, type LeaseClock } from "./lease.ts";
import { takeJobs } from "./take_jobs.ts";
import type { WorkerTools } from "./worker_tools.ts";

/** Nobody was there: asking about each task alone would not help. */
const UNREACHABLE = new Set(["network", "unreachable", "deadline"]);

/** Held, as our own mistake and not the provider's: a mended worker may build it. */
const NOT_BUILT: ProviderError = {
  kind: "server",
  code: "not_built",
  message: "We could not say what is to be made; see the log",
  raw: null,
};

/** Turns a claimed attempt into what the provider is asked; a ProviderError when it cannot be asked. */
export type TaskBuilder = (submission: StartedSubmission) => Promise<VideoTask | ProviderError>;

/** Hands over one batch to each provider. */
export async function submitAll(
  tools: WorkerTools,
  providers: ReadonlyMap<string, VideoProvider>,
  builderFor: (provider: string) => Promise<TaskBuilder>,
): Promise<Batch> {
  const look = async () => {
    const { moved, providers: names } = await prepareSubmitting(
      tools.database,
      [...providers.keys()],
    );
    if (moved > 0) tools.log.info("Moved on to other providers", { moved });
    return names;
  };
  return await batchOfEach(
    look,
    { providers, log: tools.log },
    async (provider) => submitToProvider(tools, provider, await builderFor(provider.name)),
  );
}

/** The time of tests. */
export interface SubmitWays {
  readonly clock?: LeaseClock;
  readonly pause?: (milliseconds: number) => Promise<void>;
}

/** Hands over one batch. */
export async function submitToProvider(
  { database, queue, node, log }: WorkerTools,
  provider: VideoProvider,
  buildTask: TaskBuilder,
  { clock, pause }: SubmitWays = {},
): Promise<Batch> {
  const waiting = submitQueue(provider.name);
  const claimed = await database.transaction(async (sql) => {
    const most = await submissionSlots(sql, provider.name, provider.submitBatch);
    // From before the claim, so that it is never taken for younger than it is.
    const lease = new Lease(clock);
    const { jobs, rows } = await takeJobs(
      sql,
      { queue, name: waiting, most },
      (ids) => startSubmissions(sql, ids, node),
      ({ video_job_id: id, started }) => ({ id, started }),
    );
    return { jobs, submissions: rows, lease };
  });
  if (claimed.submissions.length > 0) {
    const records = await handOver(
      provider,
      claimed,
      (submission) =>
        buildTask(submission).catch((error: unknown) => {
          // One that we cannot even put into words must not take the others of its batch along.
          log.error("A task could not be built", { video_job_id: submission.video_job_id, error });
          return NOT_BUILT;
        }),
    );
    // A provider that takes no ids of ours tells its own once: what is not written down is never found.
    const all = insist(() => writeDown(records), { pause, unless: isLockTimeout });
    await all.catch(async (error: unknown) => {
      if (!isDataError(error) && !isLockTimeout(error)) {
        for (const record of records) log.error("An answer could not be recorded", { ...record });
        throw error;
      }
      // One answer that the database refuses, or whose video is held, must not take forty-nine others
      // with it. All at once: while one is insisted on, the others are written down.
      log.error("A batch of answers could not be recorded, recording them one by one", { error });
      await writeDownEach(records);
    });
    log.info("Submitted", countBy(records.map((record) => record.outcome)));
  }
  const taken = claimed.jobs.length;
  // Jobs of attempts that were over cost the provider nothing: whoever stands behind them need not wait.
  const idle = taken > 0 && claimed.submissions.length === 0;
  return { taken, fullness: idle ? 1 : taken / provider.submitBatch };

  async function writeDownEach(records: readonly SubmissionRecord[]): Promise<void> {
    await Promise.all(
      records.map((record) =>
        insist(() => writeDown([record], ONE_BY_ONE), { pause }).catch((error: unknown) =>
          log.error("An answer could not be recorded", { ...record, error })
        )
      ),
    );
  }

  async function writeDown(
    records: readonly SubmissionRecord[],
    patience?: string,
  ): Promise<void> {
    await database.transaction(async (sql) => {
      const changes = await recordSubmissions(sql, records, node, patience);
      // Only what we changed is ours to complete. A held attempt went back into the queue as a new
      // job; one that somebody else took over meanwhile has a job that is theirs.
      const done = new Set(
        changes.filter((change) => change.result !== "held").map((change) => change.video_job_id),
      );
      await queue.complete(sql, waiting, claimed.jobs.filter((job) => done.has(job.id)));
    });
  }
}

async function handOver(
  provider: VideoProvider,
  { submissions, lease }: {
    readonly submissions: readonly StartedSubmission[];
    readonly lease: Lease;
  },
  buildTask: TaskBuilder,
): Promise<SubmissionRecord[]> {
  const tasks: VideoTask[] = [];
  const records: SubmissionRecord[] = [];
  // All at once: one after the other, a slow Storage would use up the lease before the provider is called.
  const builds = await Promise.all(
    submissions.map(async (submission) => ({ submission, built: await buildTask(submission) })),
  );
  for (const { submission, built } of builds) {
    if ("id" in built) tasks.push(built);
    else records.push(refusal(submission, built));
  }
  if (tasks.length > 0) {
    const seconds = Math.min(...submissions.map((one) => one.lease_seconds));
    const hasTime = (requestMs?: number) => lease.hasRoom(seconds, requestMs);
    const repeated = submissions.some((one) => one.repeated);
    const outcomes = hasTime()
      ? await submitTasks(provider, tasks, { repeated, hasTime })
      : tasks.map(({ id }) => notSent(id));
    const byId = new Map(submissions.map((one) => [one.video_job_id, one]));
    for (const outcome of outcomes) {
      const submission = byId.get(outcome.id);
      if (submission !== undefined) records.push(recordOf(submission, outcome, provider));
    }
  }
  return records;
}

/**
 * One call for all. Where nothing came back but an error, and that was so before for one of them, the
 * call is halved until the task that breaks the call is isolated: it must not keep the others from
 * being made. The ids are ours, so what was taken after all is not bought again. Halving stops with the
 * lease: what was not asked about once more stands as it was answered.
 */
function submitTasks(
  provider: VideoProvider,
  tasks: readonly VideoTask[],
  how: CallOptions & { readonly repeated: boolean },
): Promise<SubmitOutcome[]> {
  const answered = new Map<string, SubmitOutcome>();
  return inHalves(tasks, async (some) => {
    if (some.length < tasks.length && !how.hasTime()) {
      return some.flatMap(({ id }) => answered.get(id) ?? []);
    }
    const outcomes = await provider.submit(some, how);
    const allUnknown = how.repeated && provider.choosesTaskId && some.length > 1 &&
      outcomes.every((one) => one.outcome === "unknown" && !UNREACHABLE.has(one.error.code));
    if (!allUnknown) return outcomes;
    for (const outcome of outcomes) answered.set(outcome.id, outcome);
    return "spoiled";
  });
}

function recordOf(
  submission: StartedSubmission,
  outcome: SubmitOutcome,
  provider: VideoProvider,
): SubmissionRecord {
  switch (outcome.outcome) {
    case "accepted":
      return {
        video_job_id: outcome.id,
        outcome: "accepted",
        provider_task_id: outcome.providerTaskId,
        provider: provider.name,
      };
    case "refused":
      return refusal(submission, outcome.error);
    case "unknown":
      // Nothing was sent: that is as good as a refusal.
      if (outcome.error.code === "unreachable") return refusal(submission, outcome.error);
      // Where the id is ours, handing it over again is safe. Where it is not, it may buy twice: never.
      return provider.choosesTaskId
        ? {
          video_job_id: outcome.id,
          outcome: "unknown",
          ...failureRecord(outcome.error),
          delay_seconds: outcome.error.retryAfterSeconds ?? 5,
        }
        : {
          video_job_id: outcome.id,
          outcome: "failed",
          ...failureRecord(outcome.error),
          code: "unknown_outcome",
          delay_seconds: null,
        };
  }
}

function refusal(submission: StartedSubmission, error: ProviderError): SubmissionRecord {
  const decision = decideAbout("refused", error, submission.attempt);
  return {
    video_job_id: submission.video_job_id,
    outcome: decision.action === "hold" ? "held" : "failed",
    ...failureRecord(error),
    delay_seconds: decision.action === "fail" ? null : decision.delaySeconds,
  };
}
