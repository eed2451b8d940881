/** What the database holds after a step, read in one statement, and how it is held against the model. */
import { z } from "zod";
import type { Sql } from "../../../shared/db/database.ts";
import {
  type Account,
  type Attempt,
  balanceOf,
  expect,
  type Model,
  PATIENCE_SECONDS,
  type QueueEntry,
  Unexplained,
  type Video,
} from "./state.ts";

const seconds = z.number().nullable();
const jobRow = z.object({
  id: z.string(),
  video_id: z.string(),
  attempt: z.number(),
  status: z.string(),
  claims: z.number(),
  maybe_bought: z.boolean(),
  doubted: z.boolean(),
  node: z.string().nullable(),
  lease: seconds,
  next_poll: seconds,
  polls: z.number(),
  missing_since: seconds,
  deadline: seconds,
});
const queueRow = z.object({
  id: z.string(),
  name: z.enum(["submit-runware", "store-video"]),
  state: z.string(),
  round: z.number(),
  start_after: z.number(),
});
const videoRow = z.object({
  id: z.string(),
  user_id: z.string(),
  status: z.string(),
  stage: z.string(),
  progress: z.number(),
  retries: z.number(),
  charges: z.array(z.number()),
  refunds: z.array(z.number()),
  notices: z.array(z.string()),
});
const snapshotRow = z.object({
  balances: z.record(z.string(), z.number()),
  videos: z.array(videoRow),
  jobs: z.array(jobRow),
  queue: z.array(queueRow),
  paused: seconds,
  broken: z.array(z.object({ invariant: z.string(), video_id: z.string().nullable() })),
  backwards: z.number(),
});

type Rows = z.infer<typeof snapshotRow>;
type JobRow = z.infer<typeof jobRow>;
type QueueRow = z.infer<typeof queueRow>;

/** The rows, by id. */
export interface Snapshot {
  readonly rows: Rows;
  readonly videos: ReadonlyMap<string, Rows["videos"][number]>;
  readonly jobs: ReadonlyMap<string, JobRow>;
  /** By video id and attempt number. */
  readonly attempts: ReadonlyMap<string, JobRow>;
  /** By queue and id. */
  readonly queue: ReadonlyMap<string, QueueRow>;
}

const in_seconds = (column: string) => `extract(epoch from ${column} - clock_timestamp())::float8`;
const STATEMENT = `
select json_build_object(
  'balances', (select coalesce(json_object_agg(u.id, u.gem_balance), '{}') from public.users u),
  'videos', (
    select coalesce(json_agg(json_build_object(
      'id', v.id, 'user_id', v.user_id, 'status', v.status, 'stage', v.stage, 'progress', v.progress,
      'retries', v.retry_count,
      'charges', (select coalesce(json_agg(-e.amount), '[]') from public.gem_entries e where e.video_id = v.id and e.kind = 'charge'),
      'refunds', (select coalesce(json_agg(e.amount), '[]') from public.gem_entries e where e.video_id = v.id and e.kind = 'refund'),
      'notices', (select coalesce(json_agg(n.kind order by n.id), '[]') from public.notifications n where n.video_id = v.id)
    )), '[]') from public.videos v
  ),
  'jobs', (
    select coalesce(json_agg(json_build_object(
      'id', j.id, 'video_id', j.video_id, 'attempt', j.attempt, 'status', j.status, 'claims', j.claim_count,
      'maybe_bought', j.maybe_bought,
      'doubted', exists (select 1 from public.unknown_outcomes o where o.video_job_id = j.id),
      'node', j.processing_node, 'lease', ${in_seconds("j.lease_until")},
      'next_poll', ${in_seconds("j.next_poll_at")}, 'polls', j.poll_count,
      'missing_since', ${in_seconds("j.missing_since")},
      'deadline', ${in_seconds("j.deadline_at")}
    )), '[]') from public.video_jobs j
  ),
  'queue', (
    select coalesce(json_agg(json_build_object(
      'id', q.id, 'name', q.name, 'state', q.state, 'round', q.retry_count,
      'start_after', ${in_seconds("q.start_after")}
    )), '[]') from pgboss.job q where q.name in ('submit-runware', 'store-video')
  ),
  'paused', (select ${in_seconds("p.paused_until")} from app.providers p where p.name = 'runware'),
  'broken', (select coalesce(json_agg(i order by i.video_id), '[]') from app.invariants i),
  'backwards', (
    select count(*) from (
      select e.percentage < lag(e.percentage) over (partition by e.video_id, e.attempt order by e.id) as back
      from public.video_progress e
    ) p where p.back
  )
) as value`;

/** Reads everything. */
export async function takeSnapshot(sql: Sql): Promise<Snapshot> {
  const [row] = await sql.query(STATEMENT);
  const rows = snapshotRow.parse(row?.["value"]);
  return {
    rows,
    videos: new Map(rows.videos.map((video) => [video.id, video])),
    jobs: new Map(rows.jobs.map((job) => [job.id, job])),
    attempts: new Map(rows.jobs.map((job) => [`${job.video_id} ${job.attempt}`, job])),
    queue: new Map(rows.queue.map((job) => [`${job.name} ${job.id}`, job])),
  };
}

/** The model learns the ids that the database chose. */
export function learnIds(model: Model, snapshot: Snapshot): void {
  for (const account of Object.values(model.accounts)) {
    for (const video of account.videos) {
      for (const attempt of video.attempts) {
        if (attempt.id === "") {
          attempt.id = snapshot.attempts.get(`${video.id} ${attempt.number}`)?.id ?? "";
          // Made and deleted with its account within one step: nobody has seen its id.
          if (attempt.id === "" && account.gone) video.attempts.length = attempt.number - 1;
        }
      }
    }
  }
}

/** Holds one user's rows, or one video of them, against the model. */
export function compare(model: Model, account: Account, snapshot: Snapshot, only?: Video): void {
  const videos = only === undefined ? account.videos : [only];
  const balance = snapshot.rows.balances[account.id];
  if (only === undefined) {
    expect("Balance", balance, account.gone ? undefined : balanceOf(account));
    const theirs = snapshot.rows.videos.filter((row) => row.user_id === account.id).length;
    expect("Number of videos", theirs, account.gone ? 0 : videos.length);
  }
  for (const video of videos) {
    if (!account.gone) compareVideo(model, video, snapshot);
    for (const attempt of video.attempts) compareQueue(model, attempt, snapshot);
  }
}

function compareVideo(model: Model, video: Video, snapshot: Snapshot): void {
  const row = snapshot.videos.get(video.id);
  expect("Video", row && [row.status, row.stage, row.progress, row.retries], [
    video.status,
    video.stage,
    video.progress,
    video.retries,
  ]);
  expect("Charges", row?.charges, video.price > 0 ? [video.price] : []);
  expect("Refunds", row?.refunds, video.refund > 0 ? [video.refund] : []);
  expect("Notices", row?.notices, video.notices);
  const rows = snapshot.rows.jobs.filter((job) => job.video_id === video.id).length;
  expect("Number of attempts", rows, video.attempts.length);
  for (const attempt of video.attempts) compareAttempt(model, attempt, snapshot);
}

function compareAttempt(model: Model, attempt: Attempt, snapshot: Snapshot): void {
  const row = snapshot.jobs.get(attempt.id);
  if (row === undefined) throw new Unexplained(`Attempt ${attempt.number} is not there`);
  expect("Attempt", [row.status, row.claims, row.polls, row.maybe_bought, row.doubted], [
    attempt.status,
    attempt.claims,
    attempt.polls,
    attempt.maybeBought,
    attempt.doubted,
  ]);
  expectTime("Next poll", model, row.next_poll, attempt.nextPoll);
  expectTime("Missing since", model, row.missing_since, attempt.missingSince);
  if (attempt.status === "claimed") {
    expect("Worker", row.node, attempt.node);
    expectTime("Lease", model, row.lease, attempt.leaseUntil);
  }
  if (attempt.status === "processing") {
    expectTime("Deadline", model, row.deadline, attempt.deadline);
  }
}

const STATES: Record<string, QueueEntry["state"]> = {
  created: "waiting",
  retry: "waiting",
  active: "active",
  completed: "completed",
  failed: "failed",
};

function compareQueue(model: Model, attempt: Attempt, snapshot: Snapshot): void {
  for (const queue of ["submit-runware", "store-video"] as const) {
    const row = snapshot.queue.get(`${queue} ${attempt.id}`);
    const entry = attempt.queue[queue];
    const found = row && [STATES[row.state], row.round];
    expect(`Job in ${queue}`, found, entry === null ? undefined : [entry.state, entry.round]);
    if (row === undefined || entry?.state !== "waiting") continue;
    const from = row.start_after + model.now;
    if (from < entry.from - PATIENCE_SECONDS || from > entry.to + 1) {
      throw new Unexplained(
        `Job in ${queue} waits until ${from}, not ${entry.from} to ${entry.to}`,
      );
    }
    entry.seen ??= from;
  }
}

/** Real time goes on while the model's stands still, so what is stored may be a little less away. */
export function expectTime(
  what: string,
  model: Model,
  away: number | null | undefined,
  expected: number | null,
): void {
  const found = away === null || away === undefined ? null : away + model.now;
  const isSame = found === null || expected === null
    ? found === expected
    : found > expected - PATIENCE_SECONDS && found < expected + 1;
  if (!isSame) throw new Unexplained(`${what}: found ${found}, expected ${expected}`);
}
