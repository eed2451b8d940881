/** Maintaining: finds work whose worker died, brings lost videos back, measures, and checks the books. */
import { checkInvariants, measureModels, rebasePriorities, reconcile } from "../db/worker_calls.ts";
import type { WorkerTools } from "../http/worker_door.ts";

/** What a round of maintenance found. */
export interface MaintenanceReport {
  /** Counts of what app.reconcile() did. */
  readonly reconciled: Record<string, number>;
  readonly models_measured: number;
  readonly queues_rebased: number;
  /** Violated invariants among what is under way or recent, and those of a look at everything; always 0. */
  readonly violations: number;
}

/** Does one round. Safe to run twice at once. */
export async function maintain({ database, queue, log }: WorkerTools): Promise<MaintenanceReport> {
  await queue.supervise();
  const reconciled = await database.transaction(reconcile);
  const models_measured = await measureModels(database);
  const queues_rebased = await rebasePriorities(database);
  const broken = await checkInvariants(database);
  for (const violation of broken) log.error("An invariant is violated", violation);
  return { reconciled, models_measured, queues_rebased, violations: broken.length };
}
