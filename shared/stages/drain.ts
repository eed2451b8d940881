/** Draining: batch after batch until nothing is left or the time is up, then handing over. */
import { endDrain, ring, startDrain } from "../db/worker_calls.ts";
import type { Database } from "../db/database.ts";

/** What a drain did. */
export interface DrainReport {
  readonly batches: number;
  /** Pieces of work taken. */
  readonly work: number;
  /** False when enough other workers were at it already. */
  readonly drained: boolean;
}

/** An isolate lives 150 s on the free plan; what is left is rung for again. */
const BUDGET_MS = 40_000;
/** Work that is due but can not be taken (another worker has just locked it) is looked at this often. */
const EMPTY_ROUNDS = 3;

/** A step's answer: how many pieces of work it took, and of how many it could have taken. */
export interface Batch {
  readonly taken: number;
  readonly most: number;
}

/** What draining needs beside the step. */
export interface DrainTools {
  readonly database: Database;
  /** Names this worker. */
  readonly node: string;
  /**
   * Milliseconds to wait after a batch that was not full, so that work coming in meanwhile shares
   * the next call to the provider. 0 where a batch is no cheaper than its parts.
   */
  readonly gatherMs?: number;
  readonly now?: () => number;
}

/** Takes a place at the stage and works until it is empty. Holds nothing when it fails. */
export async function drain(
  { database, node, gatherMs = 0, now = () => performance.now() }: DrainTools,
  stage: string,
  step: () => Promise<Batch>,
): Promise<DrainReport> {
  const until = now() + BUDGET_MS;
  const report = { batches: 0, work: 0, drained: false };
  let empty = 0;
  // Taking the place again renews the lease, batch by batch.
  while (await startDrain(database, stage, node)) {
    report.drained = true;
    const batch = await step().catch(async (error: unknown) => {
      await endDrain(database, stage, node);
      throw error;
    });
    if (batch.taken > 0) {
      empty = 0;
      report.batches += 1;
      report.work += batch.taken;
      if (now() < until) {
        if (gatherMs > 0 && batch.taken < batch.most) await pause(gatherMs);
        continue;
      }
    }
    const more = await endDrain(database, stage, node);
    if (!more) break;
    if (now() >= until) {
      await ring(database, stage);
      break;
    }
    // Not rung for: whoever holds it may hold it long, and cron looks again in seconds.
    if (++empty === EMPTY_ROUNDS) break;
  }
  return report;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
