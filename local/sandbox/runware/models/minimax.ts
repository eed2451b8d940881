import { type Model, perSecond } from "../model.ts";
import * as sizes from "../sizes.ts";
import { model, type Row, set } from "./row.ts";

const hailuo = (row: Row) =>
  model({
    promptMax: 2000,
    durations: set(6, 10),
    longestAt: { "1080p": 6 },
    sizes: sizes.HAILUO,
    sizeFromText: "optional",
    fps: [25],
    ...row,
  });

/** Models of Hailuo (MiniMax). */
export const MINIMAX: readonly Model[] = [
  hailuo({ air: "minimax:3@1", name: "Hailuo 02", usd: perSecond(0.0385) }),
  hailuo({
    air: "minimax:4@1",
    name: "Hailuo 2.3",
    usd: ({ seconds, tier }) => tier === "1080p" ? 0.49 : seconds === 10 ? 0.56 : 0.28,
  }),
  hailuo({
    air: "minimax:4@2",
    name: "Hailuo 2.3 Fast",
    fromText: false,
    usd: ({ seconds, tier }) => tier === "1080p" || seconds === 10 ? 0.33 : 0.19,
  }),
];
