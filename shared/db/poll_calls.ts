/** The SQL functions of asking providers, and of settling what they say, as typed calls. */
import { z } from "zod";
import type { Sql } from "./database.ts";
import { changed, count, id, many } from "./rows.ts";
import type { FailureRecord } from "./submit_calls.ts";

const duePoll = z.object({
  video_job_id: id,
  attempt: count,
  provider_task_id: z.string(),
  model: z.string(),
  seconds_running: z.coerce.number(),
  /** For how long the provider has said, each time, that it knows no such task. */
  missing_seconds: z.coerce.number().nullable(),
  overdue: z.boolean(),
  median_seconds: count.nullable(),
  progress: count,
  quiet: z.boolean(),
  leased_at: z.date(),
  lease_seconds: count,
});
/** An attempt this poller has leased. */
export type DuePoll = z.infer<typeof duePoll>;

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
  /** "missing": the provider was asked and knows no such task, which may pass. */
  | { video_job_id: string; state: "unanswered" | "missing" }
  | ({
    video_job_id: string;
    state: "failed";
    retry_seconds: number | null;
    /** What the provider billed all the same, where it tells. */
    cost_usd?: number;
    /** When the attempt was leased: a provider that knew nothing of it then may know it by now. */
    leased_at?: Date;
  } & FailureRecord);

const recordedEvent = z.object({ video_job_id: id, payload: z.unknown() });

const named = z.object({ name: z.string() });

/** Which providers have something to be asked about, or told. */
export async function providersToPoll(sql: Sql): Promise<string[]> {
  const rows = await many(sql, named, "select * from app.providers_with_work('poll')", []);
  return rows.map(({ name }) => name);
}

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

/** Turns answers of a provider into rows. `patience`: how long it waits for a lock, until it is committed. */
export const settleVideoJobs = (sql: Sql, results: readonly SettleRecord[], patience = "3s") =>
  many(sql, changed, "select * from app.settle_video_jobs($1, $2)", [
    JSON.stringify(results),
    patience,
  ]);

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
