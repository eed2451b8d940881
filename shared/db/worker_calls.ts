/** The workers' SQL functions as typed calls. Shapes are checked: the database is another program. */
import { z } from "zod";
import { promptingStrategies } from "../domain/prompts.ts";
import { aspectRatios } from "../domain/shapes.ts";
import type { Sql } from "./database.ts";
import { many, one } from "./rows.ts";

const count = z.coerce.number().int();

const startedSubmission = z.object({
  video_job_id: z.uuid(),
  started: z.boolean(),
  provider: z.string(),
  model: z.string(),
  attempt: count,
  repeated: z.boolean(),
  kind: z.enum(["rhyme", "prompt", "image", "clip"]),
  prompt: z.string().nullable(),
  options: z.object({
    duration: z.number(),
    width: z.number(),
    height: z.number(),
    aspect_ratio: z.enum(aspectRatios),
    resolution: z.string(),
    fps: z.number(),
    seed: z.number(),
    audio: z.boolean(),
    style: z.string(),
    prompting_strategy: z.enum(promptingStrategies),
    first_frame: z.string(),
    last_frame: z.string(),
  }).partial(),
  avatar_path: z.string().nullable(),
  child_name: z.string().nullable(),
  title: z.string(),
  prompt_template: z.string().nullable(),
  negative_prompt: z.string().nullable(),
  style: z.string().nullable(),
  video_template_url: z.string().nullable(),
  duration_seconds: z.coerce.number().nullable(),
  width: count.nullable(),
  height: count.nullable(),
  lease_seconds: count,
});
/** An attempt claimed for this worker, with what the prompt is made of. */
export type StartedSubmission = z.infer<typeof startedSubmission>;

/** What became of handing an attempt over, in the words of app.record_submissions. */
export type SubmissionRecord =
  | {
    video_job_id: string;
    outcome: "accepted";
    provider_task_id: string;
    /** Whose task it is, should the attempt be deleted meanwhile. */
    provider?: string;
  }
  | ({ video_job_id: string; outcome: "failed" | "held" | "unknown" } & FailureRecord & {
    /** Seconds until the next try; null: there is none. */
    delay_seconds: number | null;
  });

/** A failure as the rows keep it: the provider's words, and ours for people. */
export interface FailureRecord {
  code: string;
  kind: string;
  people_code: string;
  people_message: string;
  provider_error: unknown;
}

/** What a provider said about an attempt, in the words of app.settle_video_jobs. */
export type SettleRecord =
  | { video_job_id: string; state: "succeeded"; video_url: string; cost_usd: number | null }
  | {
    video_job_id: string;
    /** "estimated": nobody was asked. */
    state: "processing" | "estimated";
    progress: number;
    eta_seconds: number;
  }
  | { video_job_id: string; state: "unanswered" }
  | ({
    video_job_id: string;
    state: "failed";
    retry_seconds: number | null;
    /** What the provider billed all the same, where it tells. */
    cost_usd?: number;
    /** When the attempt was leased: a provider that knew nothing of it then may know it by now. */
    leased_at?: Date;
  } & FailureRecord);

const changed = z.object({ video_job_id: z.uuid(), result: z.string() });

const duePoll = z.object({
  video_job_id: z.uuid(),
  attempt: count,
  provider_task_id: z.string(),
  model: z.string(),
  seconds_running: z.coerce.number(),
  overdue: z.boolean(),
  median_seconds: count.nullable(),
  progress: count,
  quiet: z.boolean(),
  leased_at: z.date(),
  lease_seconds: count,
});
/** An attempt this poller has leased. */
export type DuePoll = z.infer<typeof duePoll>;

const storable = z.object({
  video_job_id: z.uuid(),
  video_id: z.uuid(),
  user_id: z.uuid(),
  provider: z.string(),
  provider_task_id: z.string(),
  result_url: z.string(),
  storage_path: z.string(),
  first_frame_url: z.string().nullable(),
  avatar_path: z.string().nullable(),
});
/** A delivered attempt whose file is to be copied. */
export type Storable = z.infer<typeof storable>;

const recordedEvent = z.object({ video_job_id: z.uuid(), payload: z.unknown() });

const named = z.object({ name: z.string() });

const prepared = z.object({ moved: count, providers: z.array(z.string()) });

const violation = z.object({
  invariant: z.string(),
  video_id: z.string().nullable(),
  user_id: z.string().nullable(),
  detail: z.string(),
});

/** Which providers have something to be asked about, or told. */
export async function providersToPoll(sql: Sql): Promise<string[]> {
  const rows = await many(sql, named, "select * from app.providers_with_work('poll')", []);
  return rows.map(({ name }) => name);
}

/**
 * Moves attempts that wait in vain on to other providers, and rests those not named here. Answers how many
 * moved, and which providers are to be given work.
 */
export const prepareSubmitting = (sql: Sql, providers: readonly string[]) =>
  one(sql, prepared, "select app.prepare_submitting($1) as value", [providers]);

/** How many attempts this transaction may take for the provider. */
export const submissionSlots = (sql: Sql, provider: string, most: number): Promise<number> =>
  one(sql, count.catch(0), "select app.submission_slots($1, $2) as value", [provider, most]);

/** Claims attempts for this worker. */
export const startSubmissions = (
  sql: Sql,
  jobIds: string[],
  node: string,
): Promise<StartedSubmission[]> =>
  many(sql, startedSubmission, "select * from app.start_submissions($1, $2)", [jobIds, node]);

/** Writes down what the provider said to a submit call. */
export const recordSubmissions = (sql: Sql, outcomes: readonly SubmissionRecord[], node: string) =>
  many(sql, changed, "select * from app.record_submissions($1, $2)", [
    JSON.stringify(outcomes),
    node,
  ]);

/** Leases attempts whose poll is due. `webhooks`: whether providers ring when a task ends. */
export const duePolls = (
  sql: Sql,
  { provider, most, webhooks }: { provider: string; most: number; webhooks: "on" | "off" },
): Promise<DuePoll[]> =>
  many(sql, duePoll, "select * from app.due_polls($1, $2, $3)", [
    provider,
    most,
    webhooks === "on",
  ]);

/** Says that the provider tells nothing about our tasks, for our key or our account. */
export async function noteAskedInVain(sql: Sql, provider: string, code: string): Promise<void> {
  await sql.query("select app.note_asked_in_vain($1, $2)", [provider, code]);
}

/** Turns answers of a provider into rows. */
export const settleVideoJobs = (sql: Sql, results: readonly SettleRecord[]) =>
  many(sql, changed, "select * from app.settle_video_jobs($1)", [JSON.stringify(results)]);

/**
 * Recorded webhook payloads of these attempts, newest first; record_provider_events keeps a handful
 * of each.
 */
export const recordedEvents = (sql: Sql, jobIds: string[]) =>
  many(
    sql,
    recordedEvent,
    `select e.video_job_id, e.payload from public.provider_events e
     where e.video_job_id = any ($1) order by e.id desc`,
    [jobIds],
  );

/** What is needed to copy the files of these attempts. */
export const startStoring = (sql: Sql, jobIds: string[]): Promise<Storable[]> =>
  many(sql, storable, "select * from app.start_storing($1)", [jobIds]);

/** Completes a video whose file is in Storage, and its thumbnail where there is one. */
export const finishStoring = (
  sql: Sql,
  jobId: string,
  path: string,
  thumbnailPath: string | null = null,
): Promise<boolean> =>
  one(sql, z.boolean(), "select app.finish_storing($1, $2, $3) as value", [
    jobId,
    path,
    thumbnailPath,
  ]);

/** Fails a video whose file cannot be had. */
export const failStoring = (sql: Sql, jobId: string, code: string, detail: unknown) =>
  one(sql, z.boolean(), "select app.fail_storing($1, $2, $3) as value", [
    jobId,
    code,
    JSON.stringify(detail),
  ]);

/** Takes this worker's place at a stage, or keeps it. */
export const startDrain = (sql: Sql, stage: string, node: string): Promise<boolean> =>
  one(sql, z.boolean(), "select app.start_drain($1, $2) as value", [stage, node]);

/** Renews this worker's place at a stage; false where it has none. */
export const renewDrain = (sql: Sql, stage: string, node: string): Promise<boolean> =>
  one(sql, z.boolean(), "select app.renew_drain($1, $2) as value", [stage, node]);

/** Gives up this worker's place; true when work came in meanwhile. */
export const endDrain = (sql: Sql, stage: string, node: string): Promise<boolean> =>
  one(sql, z.boolean(), "select app.end_drain($1, $2) as value", [stage, node]);

/** Wakes another worker for a stage. */
export const ring = (sql: Sql, stage: string): Promise<boolean> =>
  one(sql, z.boolean(), "select app.ring($1) as value", [stage]);

/** Brings lost videos back on their way. Answers counts. */
export const reconcile = (sql: Sql) =>
  one(sql, z.record(z.string(), z.number()), "select app.reconcile() as value", []);

/**
 * Keeps the fair order within what priorities can hold. Returns how many queues were rebased;
 * almost always 0.
 */
export const rebasePriorities = (sql: Sql): Promise<number> =>
  one(sql, count, "select app.rebase_priorities() as value", []);

/** Refreshes the medians per model. */
export const measureModels = (sql: Sql): Promise<number> =>
  one(sql, count, "select app.measure_models() as value", []);

/**
 * Violated invariants, such as wrong balances or stranded videos: those among recent rows, plus the
 * findings of the latest full check, told once.
 */
export const checkInvariants = (sql: Sql) =>
  many(sql, violation, "select * from app.check_invariants()", []);
