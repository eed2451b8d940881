/** Draining: batch after batch until nothing is left or the time is up, then handing over. */
import type { Database } from "../db/database.ts";
import { endDrain, ring, startDrain } from "../db/drain_calls.ts";
import { sleep } from "../sleep.ts";
import type { Batch } from "./batch_of_each.ts";
import { Gathering } from "./gathering.ts";
import { Lanes } from "./lanes.ts";
import { keepPlace } from "./place.ts";

/** What a drain did. */
export interface DrainReport {
  readonly batches: number;
  /** Pieces of work taken. */
  readonly work: number;
  /** False when enough other workers were at it already. */
  readonly drained: boolean;
}

/**
 * Milliseconds in which batches are begun; what is left is rung for again. An isolate lives 150 s on the
 * free plan and takes calls in the first half of them, so that drain and last batch have 75 s together.
 * Source: github.com/supabase/edge-runtime, crates/base, strategy_per_worker.rs.
 */
const BUDGET_MS = 40_000;
/** How often in a row a worker looks for due work that others have just locked, before it stops. */
const EMPTY_ROUNDS = 3;

/** What draining needs beside the step. */
export interface DrainTools {
  readonly database: Database;
  /** Names this worker. */
  readonly node: string;
  /**
   * Milliseconds to wait after a batch that was not full, so that work coming in meanwhile shares
   * the next call to the provider; twice as long each time while it keeps coming in small parts, half as
   * long after a full batch. 0 where a batch is no cheaper than its parts.
   */
  readonly gatherMs?: number;
  /**
   * Whether a full batch brings a second lane, which takes batches beside the first for as long as its own
   * are full: while one waits for the provider, the other keeps the database busy.
   */
  readonly lanes?: 1 | 2;
  /** Milliseconds in which batches are begun: less where the last one may take long. */
  readonly budgetMs?: number;
  /** Milliseconds between renewals of the place's lease. */
  readonly renewEveryMs?: number;
  readonly now?: () => number;
  readonly pause?: (milliseconds: number) => Promise<void>;
}

/**
 * Takes a place at the stage and works until it is empty. Holds nothing when it fails. A step is told the
 * name under which it works: each lane has its own, as two workers have.
 */
export async function drain(
  {
    database,
    node,
    renewEveryMs,
    gatherMs = 0,
    lanes = 1,
    budgetMs = BUDGET_MS,
    now = () => performance.now(),
    pause = sleep,
  }: DrainTools,
  stage: string,
  step: (node: string) => Promise<Batch>,
): Promise<DrainReport> {
  const until = now() + budgetMs;
  const isLate = () => now() >= until;
  const taking = new Lanes(step);
  const gathering = new Gathering(gatherMs, pause);
  let drained = false;
  let empty = 0;

  let hasPlace = false;
  const stopRenewing = keepPlace(
    { database, node, ...(renewEveryMs === undefined ? {} : { renewEveryMs }) },
    stage,
    () => hasPlace = false,
  );

  /** Takes the place, unless it is ours already. */
  const takesPlace = async (): Promise<boolean> => {
    hasPlace ||= await startDrain(database, stage, node);
    return hasPlace;
  };

  try {
    while (await takesPlace()) {
      drained = true;
      const batch = await taking.take(node);
      if (batch.taken === 0 || taking.failures.length > 0 || isLate()) await taking.secondEnds();
      if (taking.failures.length > 0) {
        await endDrain(database, stage, node);
        throw taking.failures[0];
      }
      if (batch.taken > 0) {
        empty = 0;
        if (!isLate()) {
          if (batch.fullness === 1 && lanes === 2) taking.openSecond(node, isLate);
          await gathering.after(batch.fullness);
          continue;
        }
      }
      const more = await endDrain(database, stage, node);
      hasPlace = false;
      if (!more) break;
      if (isLate()) {
        await ring(database, stage);
        break;
      }
      // Not rung for: whoever holds it may hold it long, and cron looks again in seconds.
      if (++empty === EMPTY_ROUNDS) break;
    }
  } finally {
    // However the first lane ends, the drain is not over until the second lane stops.
    await taking.secondEnds();
    stopRenewing();
  }
  if (taking.failures.length > 0) throw taking.failures[0];
  return { batches: taking.batches, work: taking.work, drained };
}
