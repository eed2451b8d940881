import { type Model, perSecond } from "../model.ts";
import * as sizes from "../sizes.ts";
import { FIRST_LAST, model, range, type Row, set } from "./row.ts";

const vidu = (row: Row) =>
  model({
    promptMax: 2000,
    sizes: sizes.VIDU,
    frames: FIRST_LAST,
    durations: range(1, 8, 5),
    ...row,
  });

/** Models of Vidu. */
export const VIDU: readonly Model[] = [
  vidu({
    air: "vidu:2@0",
    name: "Vidu 2.0",
    fromText: false,
    promptMax: 3000,
    promptWithFrames: "optional",
    references: 1,
    durations: set(4, 8),
    longestAt: { "360p": 4, "1080p": 4 },
    sizes: sizes.VIDU_2,
    usd: perSecond(0.05), // guess
  }),
  vidu({
    air: "vidu:1@1",
    name: "Vidu Q1",
    durations: set(5),
    sizes: { "1080p": ["1920x1080", "1080x1080", "1080x1920"] },
    usd: perSecond(0.06), // guess
  }),
  vidu({ air: "vidu:3@1", name: "Vidu Q2 Pro", references: 7, usd: perSecond(0.0688) }),
  vidu({ air: "vidu:3@2", name: "Vidu Q2 Turbo", references: 7, usd: perSecond(0.020625) }),
];
