/** The work queue: pg-boss, settled in the same transaction as the rows it is about. */
import { type Db, type Job, PgBoss } from "pg-boss";
import { z } from "zod";
import type { Database, Sql } from "./database.ts";
import type { Log } from "../log.ts";

/** The queues there are. */
export type QueueName = SubmitQueue | "store-video";

type SubmitQueue = `submit-${string}`;

/** The queue of the attempts that wait for a provider; as app.submit_queue() has it. */
export function submitQueue(provider: string): SubmitQueue {
  return `submit-${provider}`;
}

const jobData = z.object({ video_job_id: z.uuid() });

/** One piece of work in this worker's hands. */
export interface QueueJob {
  readonly videoJobId: string;
  /** Nothing more will be tried after this round. */
  readonly isLastTry: boolean;
  /** pg-boss's own object: settling by it touches this round only, never a later one. */
  readonly handle: Job<object>;
}

/** The few verbs a worker needs. Each takes the transaction it is to be part of. */
export interface WorkQueue {
  /**
   * Starts pg-boss. To be awaited before a transaction is opened: starting takes a connection of its
   * own, and transactions that wait for it while holding all of them would wait for ever.
   */
  ready(): Promise<void>;
  fetch(sql: Sql, queue: QueueName, most: number): Promise<QueueJob[]>;
  complete(sql: Sql, queue: QueueName, jobs: readonly QueueJob[]): Promise<void>;
  /** Comes back after the queue's retry delay, or becomes a dead letter after the last try. */
  retryLater(sql: Sql, queue: QueueName, jobs: readonly QueueJob[], reason: string): Promise<void>;
  /** Finds work whose worker died, and tidies pg-boss's tables. */
  supervise(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens pg-boss on the worker's own pool, on first use. Throws when the package and the schema in
 * the database are not of one version: deploy the migrations first.
 */
export function openQueue(database: Database, log: Log): WorkQueue {
  let started: Promise<PgBoss> | undefined;
  const boss = () =>
    started ??= start(database, log).catch((error: unknown) => {
      started = undefined;
      throw error;
    });

  return {
    async ready() {
      await boss();
    },
    async fetch(sql, queue, most) {
      const jobs = await (await boss()).fetch<object>(queue, {
        batchSize: most,
        includeMetadata: true,
        db: asDb(sql),
      });
      return jobs.map((job) => ({
        videoJobId: jobData.parse(job.data).video_job_id,
        isLastTry: job.retryCount >= job.retryLimit,
        handle: job,
      }));
    },
    async complete(sql, queue, jobs) {
      if (jobs.length === 0) return;
      await (await boss()).complete(queue, jobs.map((job) => job.handle), undefined, {
        db: asDb(sql),
      });
    },
    async retryLater(sql, queue, jobs, reason) {
      if (jobs.length === 0) return;
      await (await boss()).fail(queue, jobs.map((job) => job.handle), { reason }, {
        db: asDb(sql),
      });
    },
    async supervise() {
      await (await boss()).supervise();
    },
    async close() {
      await (await started)?.stop({ graceful: false, close: false });
    },
  };
}

async function start(database: Database, log: Log): Promise<PgBoss> {
  const boss = new PgBoss({
    db: asDb(database),
    schema: "pgboss",
    supervise: false,
    schedule: false,
    migrate: false,
    // The queues change with migrations only.
    queueCacheIntervalSeconds: 3_600,
  });
  // Without a listener an error event would end the process.
  boss.on("error", (error: Error) => log.error("The work queue reports an error", { error }));
  await boss.start();
  return boss;
}

function asDb(sql: Sql): Db {
  return {
    executeSql: async (text: string, values?: unknown[]) => ({
      rows: await sql.query(text, values ?? []),
    }),
  };
}
