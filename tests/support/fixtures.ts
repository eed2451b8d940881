/** The people and things that tests need, made through the same doors as in production. */
import { z } from "zod";
import type { Sql } from "../../shared/db/database.ts";
import { settleVideoJobs } from "../../shared/db/poll_calls.ts";
import { recordSubmissions, startSubmissions } from "../../shared/db/submit_calls.ts";

/** A rhyme of the seed: 10 gems, not premium. */
export const TWINKLE = "10000000-0000-4000-8000-000000000001";
/** A premium rhyme of the seed: 25 gems. */
export const DIDDLE = "10000000-0000-4000-8000-000000000005";

/** A signed-up parent with a child. */
export interface Family {
  readonly userId: string;
  readonly childId: string;
}

/** Signs a user up and gives them gems and a child. */
export async function newFamily(sql: Sql, { gems = 0, tier = "free" } = {}): Promise<Family> {
  const userId = crypto.randomUUID();
  const childId = crypto.randomUUID();
  await sql.query("insert into auth.users (id, email) values ($1, $2)", [
    userId,
    `${userId}@example.com`,
  ]);
  await sql.query("update public.users set tier = $2 where id = $1", [userId, tier]);
  await sql.query("insert into public.children (id, user_id, name) values ($1, $2, 'Mia')", [
    childId,
    userId,
  ]);
  if (gems > 0) {
    await sql.query("select public.grant_gems($1, $2, 'purchase', 'Test', $3)", [
      userId,
      gems,
      crypto.randomUUID(),
    ]);
  }
  return { userId, childId };
}

/** A webhook about an attempt comes in, as the door hands it on. Answers what became of it. */
export async function recordEvent(
  sql: Sql,
  video_job_id: string,
  { provider = "runware", hash = "h", payload = {} }: {
    provider?: string;
    hash?: string;
    payload?: unknown;
  } = {},
): Promise<unknown> {
  const [row] = await sql.query(
    "select public.record_provider_events($1, $2) -> 'events' -> 0 as value",
    [provider, JSON.stringify([{ video_job_id, hash, payload }])],
  );
  return row?.["value"];
}

/** What queue_video answers. */
const queueAnswer = z.object({
  video_id: z.uuid(),
  estimated_completion: z.string(),
  gem_cost: z.number(),
  title: z.string(),
  replayed: z.boolean(),
});

/** Queues a video as the door does. Throws the database's error. */
export async function queueVideo(
  sql: Sql,
  family: Family,
  { rhymeId = TWINKLE, key, hash = "hash" }: { rhymeId?: string; key?: string; hash?: string } = {},
): Promise<z.infer<typeof queueAnswer>> {
  const [row] = await sql.query(
    `select public.queue_video($1, jsonb_build_object('child_id', $2::uuid, 'rhyme_id', $3::uuid), $4, 60, $5)
     as answer`,
    [family.userId, family.childId, rhymeId, hash, key ?? null],
  );
  return queueAnswer.parse(row?.["answer"]);
}

/** One value of a statement that answers one row with a column "value". */
export async function value(sql: Sql, text: string, values: unknown[] = []): Promise<unknown> {
  const [row] = await sql.query(text, values);
  return row?.["value"];
}

/** The gems of a user. */
export async function balanceOf(sql: Sql, { userId }: Family): Promise<number> {
  return z.number().parse(
    await value(sql, "select gem_balance as value from public.users where id = $1", [userId]),
  );
}

const videoRow = z.object({
  status: z.string(),
  stage: z.string(),
  progress: z.number(),
  retry_count: z.number(),
  error_code: z.string().nullable(),
  error_message: z.string().nullable(),
  storage_path: z.string().nullable(),
});

/** A video's row. */
export async function videoOf(sql: Sql, videoId: string): Promise<z.infer<typeof videoRow>> {
  const [row] = await sql.query("select * from public.videos where id = $1", [videoId]);
  return videoRow.parse(row);
}

const jobRow = z.object({
  id: z.uuid(),
  attempt: z.number(),
  status: z.string(),
  error_code: z.string().nullable(),
  next_poll_at: z.date().nullable(),
});

/** A video's attempts, first to last. */
export async function jobsOf(sql: Sql, videoId: string): Promise<z.infer<typeof jobRow>[]> {
  return z.array(jobRow).parse(
    await sql.query("select * from public.video_jobs where video_id = $1 order by attempt", [
      videoId,
    ]),
  );
}

/** The video's live or newest attempt. */
export async function newestJob(sql: Sql, videoId: string): Promise<z.infer<typeof jobRow>> {
  const job = (await jobsOf(sql, videoId)).at(-1);
  if (job === undefined) throw new Error(`Video "${videoId}" has no attempt`);
  return job;
}

/** Takes the newest attempt to "accepted by the provider". Answers its id. */
export async function accept(sql: Sql, videoId: string): Promise<string> {
  const { id } = await newestJob(sql, videoId);
  await startSubmissions(sql, [id], "test");
  await recordSubmissions(sql, [{
    video_job_id: id,
    outcome: "accepted",
    provider_task_id: id,
  }], "test");
  return id;
}

/** The provider delivered. */
export function deliver(sql: Sql, jobId: string) {
  return settleVideoJobs(sql, [{
    video_job_id: jobId,
    state: "succeeded",
    video_url: "https://vm.runware.ai/video/x.mp4",
    cost_usd: 0.3,
  }]);
}

/** The provider failed; it may be tried again unless `final`. */
export function failAttempt(sql: Sql, jobId: string, { final = false } = {}) {
  return settleVideoJobs(sql, [{
    video_job_id: jobId,
    state: "failed",
    code: "providerError",
    kind: "provider",
    people_code: "provider_failed",
    people_message: "Something went wrong while making this video. Please try again.",
    provider_error: { message: "GPU on fire" },
    retry_seconds: final ? null : 0,
  }]);
}

/** Ledger kinds and amounts of a video, oldest first. */
export function entriesOf(sql: Sql, videoId: string) {
  return sql.query(
    "select kind, amount from public.gem_entries where video_id = $1 order by id",
    [videoId],
  );
}

/** Rows of app.invariants; tests assert that it is empty. */
export function brokenInvariants(sql: Sql) {
  return sql.query("select * from app.invariants");
}

/** Lets time pass for everything that waits, by moving what is stored into the past. */
export async function passTime(sql: Sql, interval: string): Promise<void> {
  const statements = [
    "update public.videos set created_at = created_at - $1::interval",
    `update public.video_jobs set lease_until = lease_until - $1::interval,
       next_poll_at = next_poll_at - $1::interval, deadline_at = deadline_at - $1::interval,
       submitted_at = submitted_at - $1::interval, finished_at = finished_at - $1::interval,
       processing_started_at = processing_started_at - $1::interval, created_at = created_at - $1::interval,
       missing_since = missing_since - $1::interval`,
    `update pgboss.job set start_after = start_after - $1::interval,
       started_on = started_on - $1::interval, created_on = created_on - $1::interval`,
    "update public.notifications set created_at = created_at - $1::interval",
    "update app.providers set paused_until = paused_until - $1::interval",
    "update app.fair_clocks set counted_from = counted_from - $1::interval",
    "update app.drainers set lease_until = lease_until - $1::interval",
    "update app.last_check set cleaned_until = cleaned_until - $1::interval",
    `update app.objects_to_delete set try_at = try_at - $1::interval,
       written_until = written_until - $1::interval`,
    "update pgboss.queue set monitor_claim_on = monitor_claim_on - $1::interval, monitor_on = monitor_on - $1::interval",
  ];
  for (const statement of statements) await sql.query(statement, [interval]);
}

/** The SQLSTATE that a call ends with, or "no error". */
export async function stateOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "no error";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}

/** Gives the database an address to ring at. Nothing listens there; tests read net's own queue. */
export async function hangDoorbell(sql: Sql): Promise<void> {
  await sql.query("select vault.create_secret('http://127.0.0.1:9/functions/v1', 'functions_url')");
  await sql.query("select vault.create_secret('sb_secret_test', 'cron_secret_key')");
}
