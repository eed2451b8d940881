/**
 * How a transcript is read: into effects. Each concerns one user or one video; what the rules leave to
 * chance is a list of ways in which it may have gone.
 */
import { z } from "zod";
import type { Heard } from "./ear.ts";
import { findAttempt, type Model } from "./state.ts";

/** What a call did to one user or video. Each way changes the model, or throws Unexplained. */
export interface Effect {
  readonly userId: string;
  /** null: the user as a whole. */
  readonly videoId: string | null;
  readonly ways: ((model: Model) => void)[];
  /** It waits for no lock: what the other side has in hand is left for the next time. */
  readonly passesOver?: boolean;
}

/** What a transcript comes to. */
export interface Told {
  readonly effects: Effect[];
  /** What must hold of the state before; only where nothing else went on at the same time. */
  readonly claims: ((model: Model) => void)[];
  /** Until when the provider is to rest. */
  readonly rests: number[];
}

/** Whose an attempt is; undefined once the account is deleted. */
export type Locate = (attemptId: string) => { userId: string; videoId: string } | undefined;

/** What a transcript is read with. */
export interface Reading extends Told {
  readonly before: Model;
  readonly locate: Locate;
}

/** Reads one call of an SQL function. */
export type Reader = (heard: Heard & { call: "sql" }, reading: Reading) => void;

/** The column "value" of the one row of an answer. */
export const answered = z.tuple([z.object({ value: z.unknown() })]).transform(([row]) => row.value);

/** An effect on the video of an attempt; none where its account is gone and it was never seen. */
export function onAttempt(
  { effects, locate }: Reading,
  id: string,
  change: (model: Model, place: ReturnType<typeof findAttempt>) => void,
  how: Pick<Effect, "passesOver"> = {},
): void {
  const place = locate(id);
  if (place !== undefined) {
    effects.push({ ...place, ...how, ways: [(model) => change(model, findAttempt(model, id))] });
  }
}

/** An effect on a user as a whole. */
export function onAccount(userId: string, change: (model: Model) => void): Effect {
  return { userId, videoId: null, ways: [change] };
}
