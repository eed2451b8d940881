/** What a stage is given to work with, and what it does with it. */
import type { Database } from "../db/database.ts";
import type { WorkQueue } from "../db/queue.ts";
import type { Log } from "../log.ts";
import type { Batch } from "./batch_of_each.ts";

/** What every stage works with. */
export interface WorkerTools {
  readonly database: Database;
  readonly queue: WorkQueue;
  /** Names this worker in leases. */
  readonly node: string;
  readonly log: Log;
}

/** Does one batch. */
export type Step = (tools: WorkerTools) => Promise<Batch>;
