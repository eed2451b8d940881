import { type Model, perSecondOfSound } from "../model.ts";
import * as sizes from "../sizes.ts";
import { FIRST, FIRST_LAST, model, type Row, set } from "./row.ts";

const veo = (row: Row) =>
  model({
    promptMax: 3000,
    durations: { values: [4, 6, 8], default: 8 },
    sizes: sizes.VEO,
    sizeWithFrames: "forbidden",
    frames: FIRST_LAST,
    ...row,
  });

/** Models of Veo (Google). */
export const VEO: readonly Model[] = [
  veo({
    air: "google:3@2",
    name: "Veo 3.1",
    sizes: sizes.VEO_4K,
    references: 3,
    usd: perSecondOfSound(0.2, 0.4), // Google's list price, guess
  }),
  veo({
    air: "google:3@3",
    name: "Veo 3.1 Fast",
    sizes: sizes.VEO_4K,
    usd: ({ seconds, tier, audio }) =>
      seconds * (tier === "4k" ? (audio ? 0.35 : 0.3) : (audio ? 0.15 : 0.1)),
  }),
  veo({
    air: "google:veo@3.1-lite",
    name: "Veo 3.1 Lite",
    usd: perSecondOfSound(0.04, 0.06), // guess: "less than half of Fast"
  }),
  veo({
    air: "google:3@0",
    name: "Veo 3",
    durations: set(8),
    frames: FIRST,
    usd: perSecondOfSound(0.2, 0.4), // guess
  }),
  veo({
    air: "google:3@1",
    name: "Veo 3 Fast",
    durations: set(8),
    usd: perSecondOfSound(0.1, 0.15),
  }),
];
