import pg from "pg";
import type { BackgroundService } from "./background.ts";
import { parseSchedule } from "./cron_schedule.ts";
import { createPool } from "./pool.ts";

/** How often the jobs are looked at, in milliseconds: as finely as schedules can be written. */
const LOOK_EVERY_MS = 250;

interface Job {
  readonly jobid: string;
  readonly schedule: string;
  readonly command: string;
  readonly database: string;
  readonly username: string;
}

/**
 * Does what pg_cron's worker does for the tables of local/sql/cron.sql: runs each active job when
 * it is due, one run of a job at a time, and records it in `cron.job_run_details`.
 */
export async function startCronStandIn(databaseUrl: string): Promise<BackgroundService> {
  const pool = createPool(databaseUrl, { name: "pg_cron", max: 4 });
  const scheduler = new CronScheduler(pool);
  await scheduler.look();
  const timer = setInterval(() => scheduler.look(), LOOK_EVERY_MS);
  return {
    async stop() {
      clearInterval(timer);
      await scheduler.stop();
      await pool.end();
    },
  };
}

class CronScheduler {
  /**
   * When each job was last started or first seen; a changed schedule counts from when it is seen.
   */
  readonly #last = new Map<string, { schedule: string; at: number }>();
  readonly #running = new Map<string, Promise<void>>();
  #looking: Promise<void> | null = null;

  constructor(private readonly pool: pg.Pool) {}

  /** Starts what is due. A look that is still under way is not doubled. */
  look(): Promise<void> {
    this.#looking ??= this.#lookOnce()
      // The database may be restarting; the next look finds the jobs again.
      .catch(() => {})
      .finally(() => this.#looking = null);
    return this.#looking;
  }

  async stop(): Promise<void> {
    await this.#looking;
    await Promise.all(this.#running.values());
  }

  async #lookOnce(): Promise<void> {
    const { rows } = await this.pool.query<Job>(
      `select jobid, schedule, command, database, username from cron.job
       where active and database = current_database()`,
    );
    const now = Date.now();
    for (const job of rows) {
      if (this.#isDue(job, now) && !this.#running.has(job.jobid)) this.#start(job, now);
    }
  }

  #isDue(job: Job, now: number): boolean {
    const last = this.#last.get(job.jobid);
    if (last?.schedule !== job.schedule) {
      this.#last.set(job.jobid, { schedule: job.schedule, at: now });
      return false;
    }
    return parseSchedule(job.schedule).next(last.at) <= now;
  }

  #start(job: Job, now: number): void {
    this.#last.set(job.jobid, { schedule: job.schedule, at: now });
    const run = this.#run(job).catch(() => {}).finally(() => this.#running.delete(job.jobid));
    this.#running.set(job.jobid, run);
  }

  async #run(job: Job): Promise<void> {
    const client = await this.pool.connect();
    try {
      const { rows } = await client.query<{ runid: string }>(
        `insert into cron.job_run_details (jobid, job_pid, database, username, command, status, start_time)
         values ($1, pg_backend_pid(), $2, $3, $4, 'running', clock_timestamp()) returning runid`,
        [job.jobid, job.database, job.username, job.command],
      );
      const { status, message } = await execute(client, job);
      await client.query(
        `update cron.job_run_details
         set status = $2, return_message = $3, end_time = clock_timestamp() where runid = $1`,
        [rows[0]?.runid, status, message],
      );
    } finally {
      client.release();
    }
  }
}

async function execute(
  client: pg.PoolClient,
  job: Job,
): Promise<{ status: "succeeded" | "failed"; message: string }> {
  try {
    await client.query(`set role ${pg.escapeIdentifier(job.username)}`);
    const result: pg.QueryResult | pg.QueryResult[] = await client.query(job.command);
    const last = Array.isArray(result) ? result.at(-1) : result;
    const count = last?.rowCount ?? 0;
    const message = last?.command === "SELECT"
      ? `${count} ${count === 1 ? "row" : "rows"}`
      : `${last?.command ?? ""} ${last?.rowCount ?? ""}`.trim();
    return { status: "succeeded", message };
  } catch (error) {
    return {
      status: "failed",
      message: `ERROR:  ${error instanceof Error ? error.message : error}`,
    };
  } finally {
    await client.query("reset role").catch(() => {});
  }
}
