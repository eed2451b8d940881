/**
 * Videos by the million, written straight into the tables as the product's functions would have left
 * them. `assertBooks` holds after it; the order of the queue is that of docs/adr/0004-fair-queueing.md.
 */
import type pg from "pg";
import type { Family } from "../../support/fixtures.ts";
import { TWINKLE } from "../../support/fixtures.ts";
import type { BenchDatabase } from "../database.ts";
import { PRICE } from "./ours.ts";

const TABLES = [
  "public.videos",
  "public.video_jobs",
  "public.video_progress",
  "public.gem_entries",
  "public.notifications",
];

/** How many videos in which state. */
export interface Bulk {
  readonly count: number;
  /**
   * "queued": charged and waiting in the queue. "processing": with the provider, which is to be asked
   * in an hour. "completed": stored, months ago; what was told about them has been cleared away since.
   */
  readonly status: "queued" | "processing" | "completed";
  /** Whose they are, turn by turn: one each, then the second of each. */
  readonly owners: readonly Family[];
}

/**
 * Writes them. Triggers rest and secondary indexes are built afterwards, which is many times faster
 * and leaves the same tables; statistics are fresh.
 */
export async function addBulk(database: BenchDatabase, bulk: Bulk): Promise<void> {
  const client = await database.pool.connect();
  try {
    await client.query("set session_replication_role = replica");
    await client.query("set work_mem = '256MB'");
    const rebuild = await dropIndexes(client);
    await client.query("begin");
    await seed(client, bulk);
    if (bulk.status === "completed") await writeCompleted(client);
    else await writeQueued(client);
    if (bulk.status === "processing") await handOver(client);
    await client.query("commit");
    for (const statement of rebuild) await client.query(statement);
    await client.query(`vacuum (analyze) ${TABLES.join(", ")}, public.users, pgboss.job`);
  } finally {
    // Its settings go with it.
    client.release(true);
  }
}

/** Answers the statements that make them again. */
async function dropIndexes(client: pg.PoolClient): Promise<string[]> {
  const { rows } = await client.query<{ name: string; definition: string }>(
    `select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as definition
     from pg_index i
     where i.indrelid = any ($1::regclass[])
       and not exists (select from pg_constraint c where c.conindid = i.indexrelid)
       and not i.indisreplident`,
    [TABLES],
  );
  for (const { name } of rows) await client.query(`drop index ${name}`);
  return rows.map((row) => row.definition);
}

async function seed(client: pg.PoolClient, { count, owners }: Bulk): Promise<void> {
  await client.query(
    `create temp table seeds on commit drop as
     select n, (n / $3)::integer as place, o.user_id, o.child_id,
       app.timed_uuid(7) as video_id, app.timed_uuid(4) as job_id
     from generate_series(0, $4::integer - 1) as n
     join unnest($1::uuid[], $2::uuid[]) with ordinality as o (user_id, child_id, nth) on o.nth = 1 + n % $3`,
    [
      owners.map((owner) => owner.userId),
      owners.map((owner) => owner.childId),
      owners.length,
      count,
    ],
  );
  await client.query("analyze seeds");
}

async function writeQueued(client: pg.PoolClient): Promise<void> {
  await client.query(
    `insert into public.videos (id, user_id, child_id, rhyme_id, title, provider, model, gem_cost, max_retries,
       estimated_completion_at, input_hash, idempotency_key)
     select s.video_id, s.user_id, s.child_id, r.id, r.title, r.provider, r.model, r.gem_cost, 2,
       now() + interval '1 minute', 'bench', s.video_id::text
     from seeds s, public.rhymes r where r.id = $1`,
    [TWINKLE],
  );
  await writeCharges(client, "now()");
  await client.query(
    `insert into public.video_jobs (id, video_id, attempt, provider, model)
     select s.job_id, s.video_id, 1, r.provider, r.model from seeds s, public.rhymes r where r.id = $1`,
    [TWINKLE],
  );
  await client.query(
    `insert into public.video_progress (video_id, user_id, attempt, stage, percentage, message, eta_seconds)
     select s.video_id, s.user_id, 1, 'initializing', 0, app.stage_message('initializing', 0), 60 from seeds s`,
  );
  // As app.enqueue makes them: a free user's tags are the price apart, from where the user stood.
  await client.query(
    `insert into pgboss.job (id, name, data, priority, created_on, start_after, keep_until,
       expire_seconds, deletion_seconds, retry_limit, retry_delay, retry_backoff, retry_delay_max, policy, dead_letter)
     select s.job_id, q.name, jsonb_build_object('video_job_id', s.job_id),
       -(greatest(u.fair_tag, c.tag) + (s.place + 1) * ${PRICE})::integer,
       now(), now(), now() + q.retention_seconds * interval '1 second',
       q.expire_seconds, q.deletion_seconds, q.retry_limit, q.retry_delay, q.retry_backoff, q.retry_delay_max,
       q.policy, q.dead_letter
     from seeds s
     join public.users u on u.id = s.user_id
     join public.rhymes r on r.id = $1
     join app.fair_clocks c on c.provider = r.provider
     join pgboss.queue q on q.name = app.submit_queue(r.provider)`,
    [TWINKLE],
  );
  await client.query(
    `update public.users u set fair_tag = greatest(u.fair_tag, c.tag) + s.count * ${PRICE}
     from (select user_id, count(*) from seeds group by user_id) s, app.fair_clocks c
     where u.id = s.user_id and c.provider = 'runware'`,
  );
}

/** As app.start_submissions and app.record_submissions leave them. */
async function handOver(client: pg.PoolClient): Promise<void> {
  await client.query(
    `update public.video_jobs j set status = 'processing', claim_count = 1, processing_node = 'bench',
       processing_started_at = now(), submitted_at = now(), provider_task_id = j.id::text,
       deadline_at = now() + interval '30 minutes', next_poll_at = now() + interval '1 hour'
     from seeds s where j.id = s.job_id`,
  );
  await client.query(
    `update public.videos v set status = 'processing', stage = 'analyzing', progress = 10, started_at = now()
     from seeds s where v.id = s.video_id`,
  );
  await client.query("delete from pgboss.job q using seeds s where q.id = s.job_id");
}

async function writeCompleted(client: pg.PoolClient): Promise<void> {
  await client.query(
    `insert into public.videos (id, user_id, child_id, rhyme_id, title, provider, model, gem_cost, max_retries,
       estimated_completion_at, input_hash, idempotency_key, status, stage, progress, storage_path,
       duration_seconds, created_at, started_at, updated_at, completed_at, rev)
     select s.video_id, s.user_id, s.child_id, r.id, r.title, r.provider, r.model, r.gem_cost, 2,
       t.at + interval '1 minute', 'bench', s.video_id::text, 'completed', 'completed', 100,
       s.user_id || '/videos/' || s.video_id || '.mp4', 8, t.at, t.at, t.at + interval '50 s', t.at + interval '50 s', 7
     from seeds s, public.rhymes r, lateral (select now() - interval '90 days' + s.n * interval '0.5 s') as t (at)
     where r.id = $1`,
    [TWINKLE],
  );
  await writeCharges(client, "now() - interval '90 days'");
  await client.query(
    `insert into public.video_jobs (id, video_id, attempt, provider, model, status, claim_count, processing_node,
       processing_started_at, submitted_at, provider_task_id, deadline_at, poll_count, result_url, cost_usd,
       finished_at, scheduled_at, created_at)
     select s.job_id, s.video_id, 1, r.provider, r.model, 'completed', 1, 'bench', t.at, t.at, s.job_id::text,
       t.at + interval '30 minutes', 3, '', 0.3, t.at + interval '45 s', t.at, t.at
     from seeds s, public.rhymes r, lateral (select now() - interval '90 days' + s.n * interval '0.5 s') as t (at)
     where r.id = $1`,
    [TWINKLE],
  );
  await client.query(
    `insert into public.video_progress (video_id, user_id, attempt, stage, percentage, message, created_at)
     select s.video_id, s.user_id, 1, e.stage, e.percentage, app.stage_message(e.stage, e.percentage), now() - interval '90 days'
     from seeds s,
       (values ('initializing', 0), ('analyzing', 10), ('generating', 40), ('rendering', 90), ('completed', 100))
         as e (stage, percentage)`,
  );
}

/** One charge a video, and balances that are the sum of their entries. */
async function writeCharges(client: pg.PoolClient, at: string): Promise<void> {
  await client.query(
    `insert into public.gem_entries (user_id, amount, kind, video_id, reason, balance_after, created_at)
     select s.user_id, -${PRICE}, 'charge', s.video_id, 'Video: Bench', u.gem_balance - (s.place + 1) * ${PRICE}, ${at}
     from seeds s join public.users u on u.id = s.user_id`,
  );
  await client.query(
    `update public.users u set gem_balance = u.gem_balance - s.count * ${PRICE}
     from (select user_id, count(*) from seeds group by user_id) s where u.id = s.user_id`,
  );
}
