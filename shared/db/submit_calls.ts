/** The SQL functions of handing over as typed calls. */
import { z } from "zod";
import { promptingStrategies } from "../domain/prompts.ts";
import { aspectRatios } from "../domain/shapes.ts";
import { videoKinds } from "../domain/video_kinds.ts";
import type { Sql } from "./database.ts";
import { changed, count, id, many, one } from "./rows.ts";

const requestOptions = z.object({
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
}).partial();

const startedSubmission = z.object({
  video_job_id: id,
  started: z.boolean(),
  provider: z.string(),
  model: z.string(),
  attempt: count,
  repeated: z.boolean(),
  kind: z.enum(videoKinds),
  prompt: z.string().nullable(),
  /** Null where they are none that we know: such an attempt must not take the others of its batch along. */
  options: requestOptions.nullable().catch(null),
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

const prepared = z.object({ moved: count, providers: z.array(z.string()) });

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

/**
 * Writes down what the provider said to a submit call. `patience`: how long it waits for a lock, until it
 * is committed.
 */
export const recordSubmissions = (
  sql: Sql,
  outcomes: readonly SubmissionRecord[],
  node: string,
  patience?: string,
) =>
  many(sql, changed, "select * from app.record_submissions($1, $2, $3)", [
    JSON.stringify(outcomes),
    node,
    patience ?? null,
  ]);
