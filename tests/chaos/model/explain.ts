/**
 * Finds an order of events in which the model explains what was heard and what the database holds.
 * Of two sides that overlapped, any serial order will do, video by video.
 */
import type { Transcript } from "./ear.ts";
import { readTranscript } from "./effects.ts";
import type { Effect, Told } from "./reading.ts";
import { compare, expectTime, learnIds, type Snapshot } from "./snapshot.ts";
import { checkTogether } from "./together.ts";
import { attemptsOf, expect, findAccount, type Model, Unexplained } from "./state.ts";

/** The model after the step. Throws Unexplained, with the last reason, when there is no such order. */
export function explain(before: Model, sides: readonly Transcript[], snapshot: Snapshot): Model {
  const told = sides.map((side) =>
    readTranscript(side, before, (id) => locate(id, before, snapshot))
  );
  for (const side of sides) checkTogether(side);
  const [only, ...others] = told;
  if (others.length === 0) { for (const claim of only?.claims ?? []) claim(before); }

  let model = structuredClone(before);
  for (const { userId, videoId, lanes } of byConcern(told)) {
    const learned = (guess: Model) => learnIds(guess, snapshot);
    model = inSomeOrder(model, lanes, learned, (guess) => {
      const account = findAccount(guess, userId);
      const video = account.videos.find((one) => one.id === videoId);
      compare(guess, account, snapshot, video);
    });
  }
  if (sides.flat().some((heard) => heard.call === "supervise")) model.supervisedAt = model.now;
  model.pausedUntil = Math.max(model.pausedUntil, ...told.flatMap(({ rests }) => rests));
  checkEverything(model, snapshot);
  return model;
}

/** Attempts made in this very step are only in the database so far. */
function locate(id: string, before: Model, snapshot: Snapshot) {
  for (const { account, video, attempt } of attemptsOf(before)) {
    if (attempt.id === id) return { userId: account.id, videoId: video.id };
  }
  const videoId = snapshot.jobs.get(id)?.video_id;
  const video = videoId === undefined ? undefined : snapshot.videos.get(videoId);
  return video && { userId: video.user_id, videoId: video.id };
}

/** Nothing else has changed, and the books are right. */
function checkEverything(model: Model, snapshot: Snapshot): void {
  for (const account of Object.values(model.accounts)) compare(model, account, snapshot);
  if (model.pausedUntil > model.now) {
    expectTime("Provider paused", model, snapshot.rows.paused, model.pausedUntil);
  }
  expect("Broken invariants", snapshot.rows.broken, []);
  expect("Progress entries that go back", snapshot.rows.backwards, 0);
}

/** What the sides did to one video, or to one user and all of theirs. */
interface Concern {
  readonly userId: string;
  readonly videoId: string | null;
  readonly lanes: Effect[][];
}

/** What waits for no lock leaves a video alone that the other side holds just then. */
function orPassedOver(effect: Effect): Effect {
  return effect.passesOver === true ? { ...effect, ways: [...effect.ways, () => {}] } : effect;
}

/** Videos are independent of each other, unless something looks at a user as a whole. */
function byConcern(told: readonly Told[]): Concern[] {
  const whole = new Set(
    told.flatMap(({ effects }) => effects).filter((effect) => effect.videoId === null)
      .map((effect) => effect.userId),
  );
  const concerns = new Map<string, Concern>();
  told.forEach(({ effects }, lane) => {
    for (const effect of effects) {
      const videoId = whole.has(effect.userId) ? null : effect.videoId;
      const key = `${effect.userId} ${videoId}`;
      const concern = concerns.get(key) ??
        { userId: effect.userId, videoId, lanes: told.map((): Effect[] => []) };
      concerns.set(key, concern);
      concern.lanes[lane]?.push(effect);
    }
  });
  for (const { lanes } of concerns.values()) {
    const busy = lanes.filter((lane) => lane.length > 0).length > 1;
    if (busy) lanes.forEach((lane, index) => lanes[index] = lane.map(orPassedOver));
  }
  return [...concerns.values()];
}

/** Depth first through all merges of the lanes and all ways of their effects. */
function inSomeOrder(
  model: Model,
  lanes: Effect[][],
  learn: (guess: Model) => void,
  check: (guess: Model) => void,
): Model {
  if (lanes.every((lane) => lane.length === 0)) {
    const guess = structuredClone(model);
    check(guess);
    return guess;
  }
  let reason = new Unexplained("Nothing was tried");
  for (const [index, [effect, ...rest]] of lanes.entries()) {
    if (effect === undefined) continue;
    const left = lanes.map((lane, other) => other === index ? rest : lane);
    for (const way of effect.ways) {
      try {
        const guess = structuredClone(model);
        way(guess);
        learn(guess);
        return inSomeOrder(guess, left, learn, check);
      } catch (error) {
        if (!(error instanceof Unexplained)) throw error;
        reason = error;
      }
    }
  }
  throw reason;
}
