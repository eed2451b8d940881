/** Crash points, from a recorded run. */
import type { Crossing } from "./protocol.ts";

/** Crossings between which nothing happens that anybody could see: one death stands for all of them. */
export interface Moment {
  readonly stage: string;
  readonly crossings: readonly [Crossing, ...Crossing[]];
}

/**
 * Puts crossings that follow each other with no effect in between into one moment, such as all from a
 * transaction's begin to just before its commit. Whether a process dies at the one or the other is the
 * same to the world, since all that lies between is lost with it.
 */
export function momentsOf(crossings: readonly Crossing[]): Moment[] {
  const moments: { stage: string; crossings: [Crossing, ...Crossing[]] }[] = [];
  let previous: Crossing | undefined;
  for (const crossing of crossings) {
    const last = moments.at(-1);
    if (last && previous && !previous.starts && last.stage === crossing.stage) {
      last.crossings.push(crossing);
    } else moments.push({ stage: crossing.stage, crossings: [crossing] });
    previous = crossing;
  }
  return moments;
}
