/** Two sides at once: the first stops in the middle of its transaction while the second does what it can. */
import type { Sql } from "../../../shared/db/database.ts";
import { someoneWaits } from "../../support/overlap.ts";
import type { Ear } from "./ear.ts";

/** One side. */
export interface Side<T> {
  readonly ear: Ear;
  run(): Promise<T>;
}

/** What came of it. */
export interface Overlap<T> {
  /** False when the first was over before the crossing. */
  readonly stopped: boolean;
  /** Whether the second had to wait for a lock of the first. */
  readonly blocked: boolean;
  readonly results: readonly [T, T];
}

/** Runs both; the first stops at that crossing until the second is over or waits for a lock. */
export async function overlap<T>(
  sql: Sql,
  first: Side<T>,
  crossing: number,
  second: Side<T>,
): Promise<Overlap<T>> {
  const pause = first.ear.pauseAt(crossing);
  const one = first.run();
  const stopped = await Promise.race([
    pause.reached.then(() => true),
    one.then(() => false, () => false),
  ]);
  const two = second.run();
  let isOver = false;
  const end = () => isOver = true;
  two.then(end, end);
  let blocked = false;
  while (stopped && !isOver && !blocked) blocked = await someoneWaits(sql);
  pause.resume();
  await Promise.allSettled([one, two]);
  return { stopped, blocked, results: [await one, await two] };
}
