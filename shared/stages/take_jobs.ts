/** How a worker takes work: the queue's jobs and the rows that they are about, in one transaction. */
import type { Sql } from "../db/database.ts";
import type { QueueJob, QueueName, WorkQueue } from "../db/queue.ts";

/** What was taken: the jobs, and the rows of those that are this worker's to do. */
export interface Taken<Row> {
  readonly jobs: readonly QueueJob[];
  readonly rows: readonly Row[];
}

/** Whose a row is that was to be claimed. */
interface Claim {
  readonly id: string;
  /** False where it is in somebody else's hands. */
  readonly started?: boolean;
}

/**
 * Takes at most so many jobs, and has `start` claim their rows by their ids, within the caller's
 * transaction. A job whose row `start` leaves out is over, and is completed. One whose row was not
 * started comes back later.
 */
export async function takeJobs<Row>(
  sql: Sql,
  { queue, name, most }: {
    readonly queue: WorkQueue;
    readonly name: QueueName;
    readonly most: number;
  },
  start: (ids: string[]) => Promise<Row[]>,
  claimOf: (row: Row) => Claim,
): Promise<Taken<Row>> {
  const jobs = most === 0 ? [] : await queue.fetch(sql, name, most);
  if (jobs.length === 0) return { jobs, rows: [] };
  const rows = await start(jobs.map((job) => job.id));
  const claims = new Map(rows.map(claimOf).map(({ id, started = true }) => [id, started]));
  await queue.complete(sql, name, jobs.filter(({ id }) => !claims.has(id)));
  await queue.retryLater(
    sql,
    name,
    jobs.filter(({ id }) => claims.get(id) === false),
    "Somebody else holds this",
  );
  return { jobs, rows: rows.filter((row) => claimOf(row).started !== false) };
}
