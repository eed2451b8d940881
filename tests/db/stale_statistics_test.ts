/**
 * Postgres plans by what its statistics say of a table, and those are minutes old. After a quiet hour they
 * say "empty" or "a few rows", and "half of that" where they were gathered while orders were being written.
 * What reads a table from end to end then takes long in a burst, and what reads one table for each row of
 * another takes minutes.
 */
import { assert } from "@std/assert";
import type pg from "pg";
import { z } from "zod";
import { type Database, openDatabase, type Sql } from "../../shared/db/database.ts";
import { startNotifying } from "../../shared/db/notify_calls.ts";
import { duePolls, type SettleRecord, settleVideoJobs } from "../../shared/db/poll_calls.ts";
import { finishStoring, startStoring } from "../../shared/db/store_calls.ts";
import {
  recordSubmissions,
  startSubmissions,
  type SubmissionRecord,
} from "../../shared/db/submit_calls.ts";
import type { TestDatabase } from "../support/database.ts";
import { recordEvent, TWINKLE, value } from "../support/fixtures.ts";
import { quiet, withSql } from "../support/sql.ts";

/** Videos that are ordered in one moment. */
const BURST = 1_500;
/** Videos that one call is about. */
const BATCH = 25;
/** Videos of the quiet hour, and rounds of it: after five, Postgres keeps a plan for good. */
const FEW = 8;
/** Rows of one table that may be read for each video of a batch: one look at a whole table is more. */
const ROWS_EACH = 40;
/** How often what is done each minute may read a whole table. */
const LOOKS = 12;

const ANALYZE =
  `analyze public.users, public.children, public.videos, public.video_jobs, public.video_progress,
  public.gem_entries, public.notifications, public.notification_deliveries, public.provider_events, pgboss.job`;

const EACH_MINUTE = [
  "app.reconcile()",
  "app.prepare_submitting('{runware}')",
  ...["submit", "poll", "store", "notify", "maintain"].map((stage) => `app.work_due('${stage}')`),
  "app.forget_old_videos(200)",
  "app.measure_models()",
  "app.check_invariants()",
  "app.clean_up()",
  "public.health_report()",
];

for (
  const { name, quietHour, during } of [
    { name: "of no video", quietHour: () => Promise.resolve() },
    { name: "and plans of a few videos", quietHour: makeFew },
    { name: "from the middle of the burst", quietHour: () => Promise.resolve(), during: ANALYZE },
  ]
) {
  Deno.test(`no call reads a table for each of its videos, with statistics ${name}`, async () => {
    await withSql(async (db, plain) => {
      // One connection, which keeps its plans as a worker's does.
      const worker = openDatabase(plain.url, { log: quiet, max: 1 });
      try {
        await db.query(ANALYZE);
        await quietHour(plain, worker);
        await inOneMoment(plain, BURST, during);
        const newcomers = await signUp(plain, BATCH);
        for (const { call, table, rows } of await wholeWay(worker, db, newcomers)) {
          const most = EACH_MINUTE.includes(call) ? LOOKS * BURST : ROWS_EACH * BATCH;
          assert(rows <= most, `${call} reads ${rows} rows of ${table}`);
        }
      } finally {
        await worker.close();
      }
    });
  });
}

async function makeFew(plain: TestDatabase, worker: Database): Promise<void> {
  await inOneMoment(plain, FEW);
  await worker.query(ANALYZE);
  for (let round = 0; round < FEW; round++) {
    await wholeWay(worker, worker, await signUp(plain, 2));
  }
}

/** What one call has read. */
interface Reading {
  readonly call: string;
  readonly table: string;
  readonly rows: number;
}

/**
 * Lets these people order, takes as many videos that have waited longer on their way to the end, and does
 * what is done each minute. Answers what each call has read.
 */
async function wholeWay(
  worker: Database,
  aside: Sql,
  people: readonly Person[],
): Promise<Reading[]> {
  const readings: Reading[] = [];
  const measured = (call: string, work: (sql: Sql) => Promise<unknown>) =>
    worker.transaction(async (sql) => {
      const before = await rowsRead(sql);
      await work(sql);
      for (const [table, rows] of await rowsRead(sql)) {
        readings.push({ call, table, rows: rows - (before.get(table) ?? 0) });
      }
    });
  const settled = (state: string, results: readonly SettleRecord[]) =>
    measured(`settle_video_jobs (${state})`, (sql) => settleVideoJobs(sql, results));

  const ids = await idsOf(
    aside,
    "select id from public.video_jobs where status = 'pending' order by id limit $1",
    [people.length + 1],
  );
  const [unwanted, ...wanted] = ids.toReversed();
  const failing = wanted.slice(0, wanted.length / 2);
  const delivered = wanted.slice(failing.length);

  await measured(
    "queue_videos",
    (sql) => sql.query("select public.queue_videos($1)", [JSON.stringify(people.map(orderOf))]),
  );
  await measured("start_submissions", (sql) => startSubmissions(sql, wanted, "worker"));
  await measured(
    "record_submissions",
    (sql) => recordSubmissions(sql, wanted.map(acceptanceOf), "worker"),
  );
  await measured(
    "record_provider_events",
    (sql) => recordEvent(sql, wanted[0]!, { hash: wanted[0]! }),
  );
  await aside.query(
    "update public.video_jobs set next_poll_at = now() where status = 'processing'",
  );
  await measured(
    "due_polls",
    (sql) => duePolls(sql, { provider: "runware", most: wanted.length, webhooks: "on" }),
  );
  await settled(
    "processing",
    wanted.map((id) => ({ video_job_id: id, state: "processing", progress: 40, eta_seconds: 5 })),
  );
  await settled("unanswered", wanted.map((id) => ({ video_job_id: id, state: "unanswered" })));
  await settled("failed", failing.map(failureOf));
  await settled("succeeded", delivered.map(deliveryOf));
  await measured(
    "video_changes",
    (sql) =>
      sql.query(
        "select public.video_changes(array_agg(w), array_agg(0)) from unnest($1::uuid[]) w",
        [
          ids,
        ],
      ),
  );
  await measured("start_storing", (sql) => startStoring(sql, delivered));
  await measured("finish_storing", (sql) => finishStoring(sql, delivered[0]!, "path"));
  const notices = await idsOf(
    aside,
    "select id from public.notification_deliveries where status = 'pending' limit $1",
    [people.length],
  );
  await measured("start_notifying", (sql) => startNotifying(sql, notices));
  const videoIds = (jobIds: readonly (string | undefined)[]) =>
    idsOf(aside, "select video_id as id from public.video_jobs where id = any ($1)", [jobIds]);
  const over = await videoIds(failing);
  const [cancelled] = await videoIds([unwanted]);
  const owner = await value(aside, "select user_id as value from public.videos where id = $1", [
    cancelled,
  ]);
  await measured(
    "stop_and_remove",
    (sql) => sql.query("select app.stop_and_remove($1)", [over]),
  );
  await measured(
    "cancel_video",
    (sql) => sql.query("select public.cancel_video($1, $2)", [owner, cancelled]),
  );
  for (const call of EACH_MINUTE) await measured(call, (sql) => sql.query(`select ${call}`));
  return readings;
}

function acceptanceOf(id: string): SubmissionRecord {
  return { video_job_id: id, outcome: "accepted", provider_task_id: id };
}

function failureOf(id: string): SettleRecord {
  return {
    video_job_id: id,
    state: "failed",
    code: "broken",
    kind: "server",
    people_code: "broken",
    people_message: "It broke.",
    provider_error: null,
    retry_seconds: null,
  };
}

function deliveryOf(id: string): SettleRecord {
  return {
    video_job_id: id,
    state: "succeeded",
    video_url: "https://vm.runware.ai/video/x.mp4",
    cost_usd: 0.1,
  };
}

/** The rows read so far in this transaction, of each table that grows with the videos. */
async function rowsRead(sql: Sql): Promise<ReadonlyMap<string, number>> {
  const tables = await sql.query(
    `select relname, seq_tup_read + coalesce(idx_tup_fetch, 0) as rows
     from pg_stat_xact_user_tables where schemaname in ('public', 'pgboss')`,
  );
  return new Map(tables.map(({ relname, rows }) => [String(relname), Number(rows)]));
}

async function idsOf(sql: Sql, text: string, values: unknown[]): Promise<string[]> {
  return (await sql.query(text, values)).map(({ id }) => String(id));
}

const person = z.object({ user_id: z.guid(), child_id: z.guid() });
type Person = z.infer<typeof person>;

function orderOf({ user_id, child_id }: Person) {
  const request = { child_id, rhyme_id: TWINKLE };
  return { user_id, request, input_hash: "hash", expected_seconds: 60, idempotency_key: user_id };
}

/** So many parents with a child and gems. */
async function signUp({ rows }: Pick<TestDatabase, "rows">, count: number): Promise<Person[]> {
  await rows(
    "insert into auth.users (id, email) select id, id || '@example.com' from (select gen_random_uuid() as id from generate_series(1, $1)) u",
    [count],
  );
  const people = await rows(
    `insert into public.children (user_id, name)
     select u.id, 'Mia' from public.users u where not exists (select from public.children c where c.user_id = u.id)
     returning user_id, id as child_id`,
  );
  await rows(
    "select public.grant_gems(u, 100, 'purchase', 'Test', u::text) from unnest($1::uuid[]) u",
    [people.map(({ user_id }) => user_id)],
  );
  return z.array(person).parse(people);
}

/** So many people sign up and order, in one transaction. `during`: somebody else's statement before its end. */
async function inOneMoment({ pool }: TestDatabase, count: number, during?: string): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query("begin");
    const rows = async <Row extends pg.QueryResultRow>(text: string, values?: unknown[]) =>
      (await client.query<Row>(text, values)).rows;
    const people = await signUp({ rows }, count);
    await client.query("select public.queue_videos($1)", [JSON.stringify(people.map(orderOf))]);
    if (during !== undefined) await pool.query(during);
    await client.query("commit");
  } finally {
    client.release();
  }
}
