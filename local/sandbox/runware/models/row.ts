import type { Durations, Model } from "../model.ts";

/** Takes the frame a video starts with. */
export const FIRST = ["first"] as const;
/** Takes the frames a video starts and ends with. */
export const FIRST_LAST = ["first", "last"] as const;
/** A closed list of durations, the default first. */
export const set = (...values: number[]): Durations => ({ values, default: values[0] ?? 5 });
/** Durations from `min` to `max`. */
export const range = (min: number, max: number, standard: number, step = 1): Durations => ({
  min,
  max,
  step,
  default: standard,
});

/** What is to be said about a model; the rest is as with most. */
export type Row = Pick<Model, "air" | "name" | "usd"> & Partial<Model>;

/** What most models have in common; `provider` is the first part of the AIR id. */
export function model(row: Row): Model {
  return {
    provider: row.air.slice(0, row.air.indexOf(":")),
    fromText: true,
    frames: FIRST,
    references: 0,
    promptMax: 2048,
    promptWithFrames: "required",
    negativePromptMax: 0,
    durations: set(5, 10),
    longestAt: {},
    sizes: "any",
    sizeFromText: "required",
    sizeWithFrames: "allowed",
    takesResolution: false,
    fps: [24],
    cfgMax: 0,
    ended: false,
    ...row,
  };
}
