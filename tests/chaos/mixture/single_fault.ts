/** What a fault of a provider may cost, when it comes alone. */
import type { ShopKnobs } from "../shops/shop.ts";
import type { Outcome } from "./audit.ts";

/** One fault, and how everything looks after it. */
export interface SingleFault {
  readonly knobs: ShopKnobs;
  /**
   * "nothing": all are completed, each bought once. "attempts": fresh attempts may be needed, and
   * run out. "videos": some fail, none is bought twice.
   */
  readonly costs: "nothing" | "attempts" | "videos";
  /** Whether it is seen to have struck; absent for forms, which strike always. */
  readonly struck?: (outcome: Outcome) => boolean;
}

/** Costs nothing. */
export const free = (knobs: ShopKnobs, struck?: SingleFault["struck"]): SingleFault => ({
  knobs,
  costs: "nothing",
  ...(struck === undefined ? {} : { struck }),
});
/** Costs nothing but a pause with this reason. */
export const pausedFor = (knobs: ShopKnobs, code: string) =>
  free(knobs, ({ pauses }) => pauses.has(code));
/** Costs attempts. */
export const retried = (knobs: ShopKnobs): SingleFault => ({
  knobs,
  costs: "attempts",
  struck: (outcome) => outcome.attempts > outcome.completed,
});
/** Costs videos. */
export const failing = (knobs: ShopKnobs): SingleFault => ({
  knobs,
  costs: "videos",
  struck: ({ failed }) => failed > 0,
});
/** At a provider that makes up its own ids: lost, refunded, told to the operator, and never bought twice. */
export const lost = (knobs: ShopKnobs, bought: "bought" | "not bought"): SingleFault => ({
  knobs,
  costs: "videos",
  struck: (outcome) =>
    outcome.unknown > 0 && outcome.failed === outcome.unknown &&
    outcome.bought === outcome.completed + (bought === "bought" ? outcome.unknown : 0),
});
/** More downloads than files. */
export const fetchedAgain: NonNullable<SingleFault["struck"]> = ({ counts, completed }) =>
  counts.mediaGets > completed;

/** What a single fault cost beyond what it may. */
export function excessOf(
  { costs, struck }: SingleFault,
  outcome: Outcome,
  videos: number,
): string[] {
  const { completed, bought } = outcome;
  const excess: string[] = [];
  if (costs === "nothing" && completed !== videos) {
    excess.push(`${completed} of ${videos} completed`);
  }
  if (costs !== "attempts" && bought > videos) excess.push(`${bought} tasks for ${videos} videos`);
  if (costs === "nothing" && bought !== videos) excess.push(`${bought} tasks for ${videos} videos`);
  excess.push(...outcome.unspent.map((name) => `${name} was to strike more often than it could`));
  if (struck !== undefined && !struck(outcome)) excess.push("The fault was not seen to strike");
  return excess;
}
