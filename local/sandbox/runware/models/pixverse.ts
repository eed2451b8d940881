import { type Model, perSecond } from "../model.ts";
import * as sizes from "../sizes.ts";
import { FIRST, FIRST_LAST, model, type Row, set } from "./row.ts";

const pixverse = (row: Row) =>
  model({
    durations: set(5, 8),
    sizes: sizes.PIXVERSE,
    sizeWithFrames: "forbidden",
    frames: FIRST_LAST,
    negativePromptMax: 2048,
    fps: [16, 24],
    ...row,
  });
/** 1080p as published; smaller sizes in the proportion of PixVerse 5 Fast (guess). */
const pixverseUsd = perSecond({
  "360p": 0.0228,
  "540p": 0.0228,
  "720p": 0.0299,
  "1080p": 0.0598,
  default: 0.0598,
});

/** Models of PixVerse. */
export const PIXVERSE: readonly Model[] = [
  pixverse({ air: "pixverse:1@1", name: "PixVerse 3.5", usd: pixverseUsd }),
  pixverse({ air: "pixverse:1@2", name: "PixVerse 4", usd: pixverseUsd }),
  pixverse({ air: "pixverse:1@3", name: "PixVerse 4.5", usd: pixverseUsd }),
  pixverse({ air: "pixverse:1@5", name: "PixVerse 5", usd: pixverseUsd }),
  pixverse({
    air: "pixverse:1@5-fast",
    name: "PixVerse 5 Fast",
    frames: FIRST,
    fps: [],
    usd: ({ seconds, tier }) => {
      const [five, eight] = { "720p": [0.1238, 0.2475], "1080p": [0.2475, 0.4950] }[tier ?? ""] ??
        [0.0943, 0.1856];
      return (seconds === 8 ? eight : five) ?? 0;
    },
  }),
  pixverse({
    air: "pixverse:1@6",
    name: "PixVerse 5.5",
    durations: set(5, 8, 10),
    longestAt: { "1080p": 8 },
    fps: [],
    usd: pixverseUsd,
  }),
];
