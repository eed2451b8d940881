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
const BUDGET_MS = 100_000;

/** Takes a place at the stage and works until it is empty. Holds nothing when it fails. */
export async function drain(
  { database, node, now = () => performance.now() }: {
    database: Database;
    node: string;
    now?: () => number;
  },
  stage: string,
  step: () => Promise<number>,
): Promise<DrainReport> {
  const until = now() + BUDGET_MS;
  let batches = 0;
  let work = 0;
  let drained = false;
  for (;;) {
    // Also renews the lease on the place, batch by batch.
    if (!await startDrain(database, stage, node)) return { batches, work, drained };
    drained = true;
    let done: number;
    try {
      done = await step();
    } catch (error) {
      await endDrain(database, stage, node);
      throw error;
    }
    if (done > 0) {
      batches += 1;
      work += done;
    }
    if (done > 0 && now() < until) continue;
    const more = await endDrain(database, stage, node);
    // Work that came in between the last look and giving up the place would otherwise wait for cron.
    if (more && done > 0) await ring(database, stage);
    if (!more || done > 0) return { batches, work, drained };
  }
}
