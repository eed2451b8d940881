/** Kling models. From runware.ai/docs/models/klingai-* and docs/en/providers/klingai. */
import type { ModelSpec } from "../../../domain/models.ts";
import { bySeconds, type Family, perSecond, tier } from "./table.ts";

const klingHd = "1280x720 720x720 720x1280";
const klingFullHd = "1920x1080 1080x1080 1080x1920";

const kling: Family = {
  modes: ["text", "image"],
  promptMax: 2_500,
  negativePromptMax: 2_500,
  durations: { list: [5, 10] },
  fps: [24],
  frames: { last: false, size: "from_image" },
  seed: true,
};

/** In the order of their release. */
export const klingModels: readonly ModelSpec[] = [
  {
    ...kling,
    id: "klingai:3@1",
    aliases: ["kling:1.6"],
    name: "Kling 1.6 Standard",
    tiers: [tier("720p", klingHd, bySeconds({ 5: 0.185 }))],
    // 30 from words, 24 from a picture.
    fps: [],
    renderSeconds: 150,
  },
  {
    ...kling,
    id: "klingai:4@3",
    aliases: ["kling:2.0-master"],
    name: "Kling 2.0 Master",
    tiers: [tier("720p", klingHd, perSecond(0.1848))],
    renderSeconds: 240,
  },
  {
    ...kling,
    id: "klingai:5@1",
    aliases: ["kling:2.1", "kling:2.1-standard"],
    name: "Kling 2.1 Standard",
    modes: ["image"],
    negativePromptMax: 0,
    tiers: [tier("720p", klingHd, perSecond(0.037))],
    frames: { last: false, size: "as_asked" },
    renderSeconds: 120,
  },
  {
    ...kling,
    id: "klingai:5@2",
    aliases: ["kling:2.1-pro"],
    name: "Kling 2.1 Pro",
    modes: ["image"],
    negativePromptMax: 0,
    tiers: [tier("1080p", klingFullHd, bySeconds({ 5: 0.3234 }))],
    frames: { last: true, size: "as_asked" },
    renderSeconds: 150,
  },
  {
    ...kling,
    id: "klingai:5@3",
    aliases: ["kling:2.1-master"],
    name: "Kling 2.1 Master",
    tiers: [tier("1080p", klingFullHd, perSecond(0.1848))],
    sizeOptional: true,
    frames: { last: false, size: "as_asked" },
    renderSeconds: 240,
  },
  {
    ...kling,
    id: "klingai:6@0",
    aliases: ["kling:2.5-turbo-standard"],
    name: "Kling 2.5 Turbo Standard",
    modes: ["image"],
    // 0.042 a second is known, but with no size of its own the model has no quality to hang it on.
    tiers: [],
    fps: [30],
    renderSeconds: 80,
  },
  {
    ...kling,
    id: "klingai:6@1",
    aliases: ["kling:2.5-turbo", "kling:2.5-turbo-pro"],
    name: "Kling 2.5 Turbo Pro",
    tiers: [tier("720p", klingHd, bySeconds({ 5: 0.35 }))],
    fps: [30],
    renderSeconds: 90,
  },
];
