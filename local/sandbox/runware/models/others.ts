import { type Model, perSecond } from "../model.ts";
import * as sizes from "../sizes.ts";
import { model, range, set } from "./row.ts";

/** Models of Wan, Runway and the ended Sora. */
export const OTHERS: readonly Model[] = [
  model({
    air: "alibaba:wan@2.6-flash",
    name: "Wan 2.6 Flash",
    durations: range(2, 15, 5),
    sizeFromText: "optional",
    takesResolution: true,
    fps: [],
    usd: perSecond(0.025),
  }),
  model({
    air: "runware:201@1",
    name: "Wan 2.5 Preview",
    sizeFromText: "optional",
    takesResolution: true,
    fps: [],
    usd: perSecond(0.0946),
  }),
  model({
    air: "runware:200@6",
    name: "Wan 2.2",
    sizeFromText: "optional",
    takesResolution: true,
    fps: [],
    cfgMax: 50,
    usd: perSecond(0.05), // guess
  }),

  model({
    air: "runway:1@1",
    name: "Runway Gen-4 Turbo",
    fromText: false,
    promptMax: 1000,
    promptWithFrames: "optional",
    durations: range(2, 10, 5),
    sizes: sizes.RUNWAY_TURBO,
    usd: perSecond(0.05),
  }),
  model({
    air: "runway:1@2",
    name: "Runway Gen-4.5",
    promptMax: 1000,
    durations: range(2, 10, 5),
    sizes: sizes.SORA,
    usd: perSecond(0.120625),
  }),

  // OpenAI ended its video API on 2026-09-24.
  model({
    air: "openai:3@1",
    name: "Sora 2",
    promptMax: 4000,
    durations: set(4, 8, 12),
    sizes: sizes.SORA,
    ended: true,
    usd: perSecond(0.1),
  }),
  model({
    air: "openai:3@2",
    name: "Sora 2 Pro",
    promptMax: 4000,
    durations: set(4, 8, 12),
    sizes: sizes.SORA,
    ended: true,
    usd: perSecond(0.3),
  }),
];
