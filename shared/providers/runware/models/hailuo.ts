/** Hailuo models of MiniMax. From runware.ai/docs/models/minimax-* and docs/en/providers/minimax. */
import type { ModelSpec, SizeTier } from "../../../domain/models.ts";
import { bySeconds, type Family, tier } from "./table.ts";

const hailuo: Family = {
  modes: ["text", "image"],
  promptMax: 2_000,
  negativePromptMax: 0,
  durations: { list: [6, 10] },
  fps: [25],
  frames: { last: false, size: "from_image" },
  seed: true,
};

function hailuoTiers(
  usd: { readonly hd: Record<number, number>; readonly fullHd: Record<number, number> },
): SizeTier[] {
  return [
    tier("768p", "1366x768", bySeconds(usd.hd)),
    tier("1080p", "1920x1080", { durations: { list: [6] }, ...bySeconds(usd.fullHd) }),
  ];
}

/** In the order of their release. */
export const hailuoModels: readonly ModelSpec[] = [
  {
    ...hailuo,
    id: "minimax:3@1",
    aliases: ["hailuo-02"],
    name: "Hailuo 02",
    tiers: hailuoTiers({ hd: { 6: 0.231 }, fullHd: {} }),
    renderSeconds: 180,
  },
  {
    ...hailuo,
    id: "minimax:4@1",
    aliases: ["hailuo-2.3"],
    name: "Hailuo 2.3",
    tiers: hailuoTiers({ hd: { 6: 0.28, 10: 0.56 }, fullHd: { 6: 0.49 } }),
    renderSeconds: 150,
  },
  {
    ...hailuo,
    id: "minimax:4@2",
    aliases: ["hailuo-2.3-fast"],
    name: "Hailuo 2.3 Fast",
    modes: ["image"],
    // Published is a range from 0.19 to 0.33; its lower end is the shortest at 768p.
    tiers: hailuoTiers({ hd: { 6: 0.19 }, fullHd: {} }),
    renderSeconds: 90,
  },
];
