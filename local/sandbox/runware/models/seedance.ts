import { type Model, perSecond } from "../model.ts";
import * as sizes from "../sizes.ts";
import { FIRST_LAST, model, range, type Row } from "./row.ts";

const seedance = (row: Row) =>
  model({
    promptMax: 3000,
    sizes: sizes.SEEDANCE_PRO,
    sizeWithFrames: "forbidden",
    takesResolution: true,
    ...row,
  });

/** Models of Seedance (ByteDance). */
export const SEEDANCE: readonly Model[] = [
  seedance({
    air: "bytedance:1@1",
    name: "Seedance 1.0 Lite",
    sizes: sizes.SEEDANCE_LITE,
    frames: FIRST_LAST,
    usd: perSecond({ "480p": 0.0136, "720p": 0.0346, default: 0.0346 }),
  }),
  seedance({
    air: "bytedance:2@1",
    name: "Seedance 1.0 Pro",
    frames: FIRST_LAST,
    usd: perSecond({ "480p": 0.0188, "1080p": 0.0968, default: 0.0968 }),
  }),
  seedance({
    air: "bytedance:2@2",
    name: "Seedance 1.0 Pro Fast",
    durations: range(1.2, 12, 5, 0.1),
    sizes: sizes.SEEDANCE_PRO_FAST,
    usd: perSecond({ "480p": 0.0063, "720p": 0.01336, "1080p": 0.03178, default: 0.03178 }),
  }),
  seedance({
    air: "bytedance:seedance@1.5-pro",
    name: "Seedance 1.5 Pro",
    durations: range(4, 12, 5),
    sizes: sizes.SEEDANCE_1_5,
    frames: FIRST_LAST,
    usd: ({ seconds, tier, audio }) =>
      (tier === "480p" ? 0.012 : 0.026) * seconds * (audio ? 2 : 1),
  }),
  ...["seedance@2.0", "seedance@2.0-fast", "seedance@2.0-mini"].map((name) =>
    seedance({
      air: `bytedance:${name}`,
      name: name.replace("seedance@", "Seedance "),
      durations: range(4, 15, 5),
      sizes: "any",
      frames: FIRST_LAST,
      references: 9,
      usd: perSecond({ "480p": 0.036, default: 0.081 }), // mini's; the others guess
    })
  ),
];
