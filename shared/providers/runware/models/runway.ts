/** Runway models as Runware resells them. From runware.ai/docs/models/runway-*. */
import type { ModelSpec } from "../../../domain/models.ts";
import { bySeconds, type Family, perSecond, tier } from "./table.ts";

const runway: Family = {
  modes: ["text", "image"],
  promptMax: 1_000,
  negativePromptMax: 0,
  durations: { min: 2, max: 10, step: 1 },
  fps: [24],
  frames: { last: false, size: "from_image" },
  seed: true,
};

/** In the order of their release. */
export const runwayModels: readonly ModelSpec[] = [
  {
    ...runway,
    id: "runway:1@1",
    aliases: ["runway-gen-4-turbo"],
    name: "Runway Gen-4 Turbo",
    modes: ["image"],
    tiers: [
      tier("720p", "1280x720 720x1280 1104x832 832x1104 960x960 1584x672", perSecond(0.05)),
    ],
    renderSeconds: 45,
  },
  {
    ...runway,
    id: "runway:1@2",
    aliases: ["runway-gen-4.5"],
    name: "Runway Gen-4.5",
    // The page lists more shapes; this one could be read.
    tiers: [tier("720p", "1280x720", bySeconds({ 8: 0.965 }))],
    renderSeconds: 120,
  },
];
