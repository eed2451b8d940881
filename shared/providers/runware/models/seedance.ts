/** Seedance models of ByteDance. From runware.ai/docs/models/bytedance-* and docs/en/providers/bytedance. */
import type { ModelSpec } from "../../../domain/models.ts";
import { bySeconds, type Family, perSecond, tier } from "./table.ts";

const seedance480 = "864x480 736x544 640x640 544x736 480x864 416x960 960x416";
const seedance1080 = "1920x1088 1664x1248 1440x1440 1248x1664 1088x1920 928x2176 2176x928";

const seedance: Family = {
  modes: ["text", "image"],
  promptMax: 3_000,
  negativePromptMax: 0,
  durations: { list: [5, 10] },
  fps: [24],
  frames: { last: true, size: "from_image" },
  seed: true,
};

/** In the order of their release. */
export const seedanceModels: readonly ModelSpec[] = [
  {
    ...seedance,
    id: "bytedance:1@1",
    aliases: ["seedance:1.0-lite"],
    name: "Seedance 1.0 Lite",
    tiers: [
      tier("480p", "864x480 736x544 640x640 960x416 416x960"),
      tier("720p", "1248x704 1120x832 960x960 1504x640 640x1504"),
    ],
    renderSeconds: 60,
    // Gone from Runware's curated list of July 2026.
    retired: true,
  },
  {
    ...seedance,
    id: "bytedance:2@1",
    aliases: ["seedance:1.0", "seedance:1.0-pro"],
    name: "Seedance 1.0 Pro",
    tiers: [
      tier("480p", seedance480, bySeconds({ 5: 0.094 })),
      tier("1080p", seedance1080, perSecond(0.0968)),
    ],
    renderSeconds: 90,
  },
  {
    ...seedance,
    id: "bytedance:2@2",
    aliases: ["seedance:1.0-pro-fast"],
    name: "Seedance 1.0 Pro Fast",
    durations: { min: 1.2, max: 12, step: 0.1 },
    tiers: [
      tier("480p", seedance480, perSecond(0.0063)),
      // The page lists more shapes; this one could be read.
      tier("720p", "1248x704", perSecond(0.01336)),
      tier("1080p", seedance1080, perSecond(0.03178)),
    ],
    frames: { last: false, size: "from_image" },
    renderSeconds: 45,
  },
  {
    ...seedance,
    id: "bytedance:seedance@1.5-pro",
    aliases: ["seedance:1.5-pro"],
    name: "Seedance 1.5 Pro",
    durations: { min: 4, max: 12, step: 1 },
    tiers: [
      tier("480p", "864x496 752x560 640x640 560x752 496x864 992x432", bySeconds({ 5: 0.06 })),
      tier("720p", "1280x720 1112x834 960x960 834x1112 720x1280 1470x630", bySeconds({ 5: 0.13 })),
      // The page lists more shapes; this one could be read.
      tier("1080p", "1920x1080"),
    ],
    renderSeconds: 100,
  },
];
