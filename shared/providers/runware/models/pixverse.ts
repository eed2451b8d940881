/** PixVerse models. From runware.ai/docs/models/pixverse-* and docs/en/providers/pixverse. */
import type { ModelSpec, SizeTier } from "../../../domain/models.ts";
import { bySeconds, type Family, perSecond, tier } from "./table.ts";

const pixverseSizes = {
  "360p": "640x360 480x360 360x360 360x480 360x640",
  "540p": "960x540 720x540 540x540 540x720 540x960",
  "720p": "1280x720 960x720 720x720 720x960 720x1280",
  "1080p": "1920x1080 1440x1080 1080x1080 1080x1440 1080x1920",
} as const;

const pixverse: Family = {
  modes: ["text", "image"],
  promptMax: 2_048,
  negativePromptMax: 2_048,
  durations: { list: [5, 8] },
  fps: [16, 24],
  frames: { last: true, size: "from_image" },
  seed: true,
};

/** Only the price at 1080p is published. */
const pixverseTiers: readonly SizeTier[] = [
  tier("360p", pixverseSizes["360p"]),
  tier("540p", pixverseSizes["540p"]),
  tier("720p", pixverseSizes["720p"]),
  tier("1080p", pixverseSizes["1080p"], perSecond(0.0598)),
];

/** In the order of their release. */
export const pixverseModels: readonly ModelSpec[] = [
  {
    ...pixverse,
    id: "pixverse:1@1",
    aliases: ["pixverse:3.5"],
    name: "PixVerse 3.5",
    tiers: pixverseTiers,
    renderSeconds: 60,
  },
  {
    ...pixverse,
    id: "pixverse:1@2",
    aliases: ["pixverse:4"],
    name: "PixVerse 4",
    tiers: pixverseTiers,
    renderSeconds: 60,
  },
  {
    ...pixverse,
    id: "pixverse:1@3",
    aliases: ["pixverse:4.5"],
    name: "PixVerse 4.5",
    tiers: pixverseTiers,
    renderSeconds: 60,
  },
  {
    ...pixverse,
    id: "pixverse:1@5",
    aliases: ["pixverse:5"],
    name: "PixVerse 5",
    tiers: pixverseTiers,
    renderSeconds: 60,
  },
  {
    ...pixverse,
    id: "pixverse:1@5-fast",
    aliases: ["pixverse:5-fast"],
    name: "PixVerse 5 Fast",
    tiers: [
      tier("360p", pixverseSizes["360p"], bySeconds({ 5: 0.0943, 8: 0.1856 })),
      tier("540p", pixverseSizes["540p"], bySeconds({ 5: 0.0943, 8: 0.1856 })),
      tier("720p", pixverseSizes["720p"], bySeconds({ 5: 0.1238, 8: 0.2475 })),
      tier("1080p", pixverseSizes["1080p"], bySeconds({ 5: 0.2475, 8: 0.495 })),
    ],
    fps: [],
    frames: { last: false, size: "from_image" },
    renderSeconds: 40,
  },
  {
    ...pixverse,
    id: "pixverse:1@6",
    aliases: ["pixverse:5.5"],
    name: "PixVerse 5.5",
    durations: { list: [5, 8, 10] },
    tiers: [
      tier("360p", pixverseSizes["360p"]),
      tier("540p", pixverseSizes["540p"]),
      tier("720p", pixverseSizes["720p"]),
      tier("1080p", pixverseSizes["1080p"], { durations: { list: [5, 8] } }),
    ],
    fps: [],
    renderSeconds: 70,
  },
];
