/** Maintaining: finds work whose worker died, brings lost videos back, measures, checks the invariants. */
import {
  checkInvariants,
  measureModels,
  rebasePriorities,
  reconcile,
} from "../db/maintain_calls.ts";
import type { WorkerTools } from "./worker_tools.ts";

/** What a round of maintenance found. */
export interface MaintenanceReport {
  /** Counts of what app.reconcile() did. */
  readonly reconciled: Record<string, number>;
  readonly models_measured: number;
  readonly queues_rebased: number;
  /** Violated invariants among what is under way or recent, and those of a look at everything; always 0. */
  readonly violations: number;
  /** What `forget` answered, where it is part of the round. */
  readonly forgotten?: unknown;
}

/**
 * Does one round. Safe to run twice at once. A step that fails keeps no other from its turn; when all
 * have had theirs, the round fails with what was thrown. `forget` is the last step.
 */
export async function maintain(
  { database, queue, log }: WorkerTools,
  forget: () => Promise<unknown> = () => Promise.resolve(),
): Promise<MaintenanceReport> {
  const failures: unknown[] = [];
  const step = async <T>(name: string, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      log.error("A step of maintenance failed", { step: name, error });
      failures.push(error);
      return undefined;
    }
  };

  await step("supervise", () => queue.supervise());
  const reconciled = await step("reconcile", () => database.transaction(reconcile)) ?? {};
  if (reconciled.failed) {
    log.error("Some could not be rescued, see the warnings in Postgres' log", reconciled);
  }
  const models_measured = await step("measure", () => measureModels(database)) ?? 0;
  const queues_rebased = await step("rebase", () => rebasePriorities(database)) ?? 0;
  const broken = await step("check", () => checkInvariants(database)) ?? [];
  for (const violation of broken) log.error("An invariant is violated", violation);
  const forgotten = await step("forget", forget);

  if (failures.length > 0) throw new AggregateError(failures, "A step of maintenance failed");
  const report = { reconciled, models_measured, queues_rebased, violations: broken.length };
  return forgotten === undefined ? report : { ...report, forgotten };
}
