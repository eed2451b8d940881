/** Veo models of Google. From runware.ai/docs/models/google-veo-* and docs/en/providers/google. */
import type { ModelSpec } from "../../../domain/models.ts";
import { bySeconds, type Family, perSecond, tier } from "./table.ts";

const veo: Family = {
  modes: ["text", "image"],
  promptMax: 3_000,
  negativePromptMax: 0,
  // 8 only on the pages of 2025.
  durations: { list: [4, 6, 8] },
  fps: [24],
  frames: { last: true, size: "from_image" },
  seed: true,
};

/** In the order of their release. */
export const veoModels: readonly ModelSpec[] = [
  {
    ...veo,
    id: "google:3@2",
    aliases: ["veo-3.1"],
    name: "Veo 3.1",
    tiers: [
      tier("720p", "1280x720 720x1280"),
      tier("1080p", "1920x1080 1080x1920"),
      tier("4K", "3840x2160 2160x3840"),
    ],
    renderSeconds: 120,
  },
  {
    ...veo,
    id: "google:3@3",
    aliases: ["veo-3.1-fast"],
    name: "Veo 3.1 Fast",
    tiers: [
      tier("720p", "1280x720 720x1280", perSecond(0.1)),
      tier("1080p", "1920x1080 1080x1920", perSecond(0.1)),
      tier("4K", "3840x2160 2160x3840", bySeconds({ 8: 2.4 })),
    ],
    renderSeconds: 80,
  },
  {
    ...veo,
    id: "google:veo@3.1-lite",
    aliases: ["veo-3.1-lite"],
    name: "Veo 3.1 Lite",
    tiers: [tier("720p", "1280x720 720x1280"), tier("1080p", "1920x1080 1080x1920")],
    renderSeconds: 70,
  },
];
