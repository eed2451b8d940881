/**
 * Submitting: takes attempts from the queue, as many as the provider has free slots for, and hands
 * them over in one call.
 *
 * Two transactions with the provider's call between them. A crash in between leaves the attempts
 * claimed; the queue gives them out again when the lease is over, under the same ids, which the
 * provider recognises.
 */
import {
  recordSubmissions,
  type StartedSubmission,
  startSubmissions,
  type SubmissionRecord,
  submissionSlots,
} from "../db/worker_calls.ts";
import type { QueueJob } from "../db/queue.ts";
import type { WorkerTools } from "../http/worker_door.ts";
import type {
  ProviderError,
  SubmitOutcome,
  VideoProvider,
  VideoTask,
} from "../providers/provider.ts";
import type { Batch } from "./drain.ts";
import { decideAbout, failureRecord } from "./failure.ts";

/** Turns a claimed attempt into what the provider is asked; a ProviderError when it can not be asked. */
export type TaskBuilder = (submission: StartedSubmission) => Promise<VideoTask | ProviderError>;

/** Hands over one batch to each provider. */
export async function submitAll(
  tools: WorkerTools,
  providers: ReadonlyMap<string, VideoProvider>,
  builderFor: (provider: string) => TaskBuilder,
): Promise<Batch> {
  const total = { taken: 0, most: 0 };
  for (const provider of providers.values()) {
    total.taken += await submitBatch(tools, provider, builderFor(provider.name));
    total.most += provider.submitBatch;
  }
  return total;
}

/** Hands over one batch. Answers how many queue jobs it took. */
export async function submitBatch(
  { database, queue, node, log }: WorkerTools,
  provider: VideoProvider,
  buildTask: TaskBuilder,
): Promise<number> {
  const claimed = await database.transaction(async (sql) => {
    const slots = await submissionSlots(sql, provider.name, provider.submitBatch);
    const jobs = slots === 0 ? [] : await queue.fetch(sql, "submit-video", slots);
    if (jobs.length === 0) return { jobs, submissions: [] };
    const rows = await startSubmissions(sql, jobs.map((job) => job.videoJobId), node);
    const byId = new Map(rows.map((row) => [row.video_job_id, row]));
    await queue.complete(sql, "submit-video", jobs.filter((job) => !byId.has(job.videoJobId)));
    await queue.retryLater(
      sql,
      "submit-video",
      jobs.filter((job) => byId.get(job.videoJobId)?.started === false),
      "Another worker holds this attempt",
    );
    return { jobs, submissions: rows.filter((row) => row.started) };
  });
  if (claimed.submissions.length > 0) {
    const records = await handOver(provider, claimed.submissions, buildTask);
    await writeDown(records, claimed.jobs);
    log.info("Submitted", countBy(records.map((record) => record.outcome)));
  }
  return claimed.jobs.length;

  async function writeDown(records: SubmissionRecord[], jobs: readonly QueueJob[]): Promise<void> {
    const ids = new Set(records.map((record) => record.video_job_id));
    await database.transaction(async (sql) => {
      const changes = await recordSubmissions(sql, records, node);
      // A held attempt went back into the queue as a new job; its old one is gone.
      const held = new Set(
        changes.filter((change) => change.result === "held").map((change) => change.video_job_id),
      );
      await queue.complete(
        sql,
        "submit-video",
        jobs.filter((job) => ids.has(job.videoJobId) && !held.has(job.videoJobId)),
      );
    });
  }
}

async function handOver(
  provider: VideoProvider,
  submissions: readonly StartedSubmission[],
  buildTask: TaskBuilder,
): Promise<SubmissionRecord[]> {
  const tasks: VideoTask[] = [];
  const records: SubmissionRecord[] = [];
  for (const submission of submissions) {
    const built = await buildTask(submission);
    if ("id" in built) tasks.push(built);
    else records.push(refusal(submission, built));
  }
  if (tasks.length > 0) {
    const outcomes = await provider.submit(tasks);
    const byId = new Map(submissions.map((one) => [one.video_job_id, one]));
    for (const outcome of outcomes) {
      const submission = byId.get(outcome.id);
      if (submission !== undefined) records.push(recordOf(submission, outcome, provider));
    }
  }
  return records;
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
      };
    case "refused":
      return refusal(submission, outcome.error);
    case "unknown":
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

/** How often each value occurs. */
export function countBy(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}
