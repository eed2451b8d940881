import { type Model, perSecond } from "../model.ts";
import * as sizes from "../sizes.ts";
import { FIRST_LAST, model, range, type Row } from "./row.ts";

const kling = (row: Row) =>
  model({
    provider: "klingai",
    promptMax: 2500,
    negativePromptMax: 2500,
    cfgMax: 1,
    sizes: sizes.SQUARE_720,
    ...row,
  });

/** Models of Kling. */
export const KLING: readonly Model[] = [
  kling({
    air: "klingai:5@1",
    name: "Kling 2.1 Standard",
    negativePromptMax: 0,
    fromText: false,
    promptWithFrames: "optional",
    sizeFromText: "optional",
    usd: perSecond(0.037),
  }),
  kling({
    air: "klingai:5@2",
    name: "Kling 2.1 Pro",
    negativePromptMax: 0,
    fromText: false,
    frames: FIRST_LAST,
    sizes: sizes.SQUARE_1080,
    usd: perSecond(0.06468),
  }),
  kling({
    air: "klingai:5@3",
    name: "Kling 2.1 Master",
    sizes: sizes.SQUARE_1080,
    sizeFromText: "optional",
    usd: perSecond(0.1848),
  }),
  kling({
    air: "klingai:3@1",
    name: "Kling 1.6 Standard",
    fps: [24, 25, 26, 27, 28, 29, 30],
    usd: perSecond(0.037),
  }),
  kling({ air: "klingai:4@3", name: "Kling 2.0 Master", fps: [], usd: perSecond(0.1848) }),
  kling({
    air: "klingai:6@0",
    name: "Kling 2.5 Turbo Standard",
    fromText: false,
    sizes: "none",
    fps: [30],
    usd: perSecond(0.042),
  }),
  kling({ air: "klingai:6@1", name: "Kling 2.5 Turbo Pro", fps: [30], usd: perSecond(0.07) }),
  kling({
    air: "klingai:kling-video@2.6-standard",
    name: "Kling 2.6 Standard",
    sizes: "any",
    sizeFromText: "optional",
    fps: [],
    usd: perSecond(0.07), // guess
  }),
  kling({
    air: "klingai:kling-video@2.6-pro",
    name: "Kling 2.6 Pro",
    sizes: "any",
    sizeFromText: "optional",
    fps: [],
    usd: perSecond(0.14),
  }),
  kling({
    air: "klingai:kling-video@3-standard",
    name: "Kling 3 Standard",
    durations: range(3, 15, 5),
    sizes: sizes.KLING_3,
    sizeWithFrames: "forbidden",
    frames: FIRST_LAST,
    fps: [],
    usd: perSecond(0.1), // guess
  }),
  kling({
    air: "klingai:kling-video@3-pro",
    name: "Kling 3 Pro",
    durations: range(3, 15, 5),
    sizes: sizes.KLING_3_PRO,
    sizeWithFrames: "forbidden",
    frames: FIRST_LAST,
    fps: [],
    usd: perSecond(0.15), // guess
  }),
];
