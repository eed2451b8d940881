/** The work queue: pg-boss, settled in the same transaction as the rows it is about. */
import { type Db, type Job, PgBoss } from "pg-boss";
import type { Database, Sql } from "./database.ts";
import type { Log } from "../log.ts";
import type { ChannelName } from "../notify/channel.ts";
import { searchStarts } from "./search_starts.ts";

/** The queues there are. */
export type QueueName = SubmitQueue | "store-video" | NotifyQueue;

type SubmitQueue = `submit-${string}`;
type NotifyQueue = `notify-${ChannelName}`;

/** The queue of the attempts that wait for a provider; as app.submit_queue() has it. */
export function submitQueue(provider: string): SubmitQueue {
  return `submit-${provider}`;
}

/** One piece of work in this worker's hands. */
export interface QueueJob {
  /** The row that it is about: an attempt, or a delivery of a notification. */
  readonly id: string;
  /** Nothing more will be tried after this round. */
  readonly isLastTry: boolean;
  /** pg-boss's own object: settling by it touches this round only, never a later one. */
  readonly handle: Job<object>;
}

/** The few verbs a worker needs. Each takes the transaction it is to be part of. */
export interface WorkQueue {
  /**
   * Starts pg-boss. To be awaited before a transaction is opened: starting takes a connection of its
   * own, and transactions that wait for it while holding all of them would wait forever.
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

  const starts = searchStarts();

  return {
    async ready() {
      await boss();
    },
    async fetch(sql, queue, most) {
      const search = (limit: number, maxPriority?: number) =>
        boss().then((open) =>
          open.fetch<object>(queue, {
            batchSize: limit,
            includeMetadata: true,
            db: asDb(sql),
            ...(maxPriority === undefined ? {} : { maxPriority }),
          })
        );
      const from = starts.next(queue);
      const jobs = await search(most, from);
      if (from !== undefined && jobs.length < most) {
        starts.forget(queue);
        jobs.push(...await search(most - jobs.length));
      }
      starts.note(queue, jobs.length < most ? [] : jobs);
      return jobs.map((job) => ({
        // app.enqueue() gives a job the id of its row.
        id: job.id,
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
