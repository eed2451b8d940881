/** Vidu models. From runware.ai/docs/models/vidu-* and docs/en/providers/vidu. */
import type { ModelSpec } from "../../../domain/models.ts";
import { bySeconds, type Family, perSecond, tier } from "./table.ts";

const viduQ2Sizes = {
  "360p": "640x352 544x400 480x480 400x544 352x640",
  "540p": "960x528 816x608 720x720 608x816 528x960",
  "720p": "1280x720 1104x816 960x960 816x1104 720x1280",
  "1080p": "1920x1080 1674x1238 1440x1440 1238x1674 1080x1920",
} as const;

const vidu: Family = {
  modes: ["text", "image"],
  promptMax: 2_000,
  negativePromptMax: 0,
  durations: { min: 1, max: 8, step: 1 },
  fps: [24],
  frames: { last: true, size: "from_image" },
  seed: true,
};

/** In the order of their release. */
export const viduModels: readonly ModelSpec[] = [
  {
    ...vidu,
    id: "vidu:2@0",
    aliases: ["vidu-2.0"],
    name: "Vidu 2.0",
    modes: ["image"],
    promptMax: 3_000,
    durations: { list: [4] },
    tiers: [
      tier("360p", "640x360 360x360 360x640"),
      tier("720p", "1280x720 720x720 720x1280", { durations: { list: [4, 8] } }),
      tier("1080p", "1920x1080 1080x1080 1080x1920"),
    ],
    renderSeconds: 60,
  },
  {
    ...vidu,
    id: "vidu:1@1",
    aliases: ["vidu-q1"],
    name: "Vidu Q1",
    durations: { list: [5] },
    tiers: [tier("1080p", "1920x1080 1080x1080 1080x1920")],
    renderSeconds: 100,
  },
  {
    ...vidu,
    id: "vidu:3@1",
    aliases: ["vidu-q2-pro"],
    name: "Vidu Q2 Pro",
    tiers: [
      tier("360p", viduQ2Sizes["360p"]),
      tier("540p", viduQ2Sizes["540p"]),
      tier("720p", viduQ2Sizes["720p"]),
      tier("1080p", viduQ2Sizes["1080p"], perSecond(0.0688)),
    ],
    renderSeconds: 120,
  },
  {
    ...vidu,
    id: "vidu:3@2",
    aliases: ["vidu-q2-turbo"],
    name: "Vidu Q2 Turbo",
    tiers: [
      tier("360p", viduQ2Sizes["360p"]),
      tier("540p", viduQ2Sizes["540p"]),
      tier("720p", viduQ2Sizes["720p"], bySeconds({ 8: 0.165 })),
      tier("1080p", viduQ2Sizes["1080p"]),
    ],
    renderSeconds: 60,
  },
];
