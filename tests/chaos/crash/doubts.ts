/** Attempts of which nobody knows whether they were bought, and tasks that nobody wrote down. */
import type { ShopTask } from "../shops/shop.ts";
import type { Attempt } from "./checks.ts";

/** What is in doubt about one video. */
export interface Doubts {
  /** Attempts that ended as unknown. */
  readonly unknown: number;
  /** These, and those that their owner cancelled before anybody knew. */
  readonly unnamed: number;
  /** Tasks that the provider has sold for it and no attempt knows of. */
  readonly orphans: number;
  /** Provider's ids that more than one attempt claims. */
  readonly shared: number;
}

/** Lays a video's attempts beside the provider's tasks for it. */
export function doubtsOf(attempts: readonly Attempt[], tasks: readonly ShopTask[]): Doubts {
  const told = attempts.flatMap(({ task }) => task ?? []);
  return {
    unknown: attempts.filter(isUnknown).length,
    unnamed:
      attempts.filter((one) => isUnknown(one) || (one.status === "cancelled" && one.task === null))
        .length,
    orphans: tasks.filter(({ id }) => !told.includes(id)).length,
    shared: told.length - new Set(told).size,
  };
}

function isUnknown({ error_code }: Attempt): boolean {
  return error_code === "unknown_outcome";
}

/** Each attempt is bought at most once: what is sold without a name belongs to an attempt in doubt. */
export function faultsOfDoubts(
  name: string,
  { unknown, unnamed, orphans, shared }: Doubts,
  { allowed }: { readonly allowed: boolean },
): string[] {
  const faults: string[] = [];
  if (unknown > 0 && !allowed) faults.push(`${name}, attempts in doubt: ${unknown}, not 0`);
  if (orphans > unnamed) {
    faults.push(`${name}, tasks nobody knows of: ${orphans}, with ${unnamed} attempts in doubt`);
  }
  if (shared > 0) faults.push(`${name}, tasks that two attempts claim: ${shared}`);
  return faults;
}
