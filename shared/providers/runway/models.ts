/**
 * The video models of Runway's own API that we sell, with what each can do. From the types of
 * `@runwayml/sdk` 4.20.1 (resources/image-to-video, resources/text-to-video) and the price list at
 * docs.dev.runwayml.com/guides/pricing: credits per second, without sound, at one cent a credit.
 * `renderSeconds` are our own guesses, used until the first renders have been measured.
 */
import type { ModelSpec, SizeTier } from "../../domain/models.ts";

const HD: SizeTier["sizes"] = [{ width: 1280, height: 720 }, { width: 720, height: 1280 }];
const FULL_HD: SizeTier["sizes"] = [{ width: 1920, height: 1080 }, { width: 1080, height: 1920 }];
/** Shapes that Runway's own models make beside 16:9 and 9:16. */
const SHAPES: SizeTier["sizes"] = [
  { width: 1104, height: 832 },
  { width: 960, height: 960 },
  { width: 832, height: 1104 },
  { width: 1584, height: 672 },
];

const gen4: Pick<
  ModelSpec,
  "promptMax" | "negativePromptMax" | "durations" | "fps" | "frames" | "seed"
> = {
  promptMax: 1_000,
  negativePromptMax: 0,
  durations: { min: 2, max: 10, step: 1 },
  fps: [24],
  frames: { last: false, size: "as_asked" },
  seed: true,
};

const veo: Pick<
  ModelSpec,
  "modes" | "promptMax" | "negativePromptMax" | "durations" | "fps" | "frames" | "seed"
> = {
  modes: ["text", "image"],
  promptMax: 1_000,
  // No limit is given; this is that of the prompt.
  negativePromptMax: 1_000,
  durations: { list: [4, 6, 8] },
  fps: [24],
  frames: { last: true, size: "as_asked" },
  seed: true,
};

/** USD per second, from credits. */
function credits(perSecond: number): Pick<SizeTier, "price"> {
  return { price: { perSecond: perSecond / 100 } };
}

/** Every model in the table, cheapest first. */
export const runwayModels: readonly ModelSpec[] = [
  {
    ...gen4,
    id: "gen4_turbo",
    aliases: ["gen-4-turbo"],
    name: "Runway Gen-4 Turbo",
    modes: ["image"],
    tiers: [{ name: "720p", sizes: [...HD, ...SHAPES], ...credits(5) }],
    renderSeconds: 45,
  },
  {
    ...veo,
    id: "veo3.1_fast",
    aliases: ["veo-3.1-fast"],
    name: "Veo 3.1 Fast",
    tiers: [
      { name: "720p", sizes: HD, ...credits(10) },
      { name: "1080p", sizes: FULL_HD, ...credits(10) },
    ],
    renderSeconds: 75,
  },
  {
    ...gen4,
    id: "gen4.5",
    aliases: ["gen-4.5"],
    name: "Runway Gen-4.5",
    modes: ["text", "image"],
    tiers: [
      // Its text_to_video takes two ratios only.
      { name: "720p", sizes: HD, modes: ["text"], ...credits(12) },
      { name: "720p", sizes: [...HD, ...SHAPES], modes: ["image"], ...credits(12) },
    ],
    renderSeconds: 120,
  },
  {
    ...veo,
    id: "veo3.1",
    aliases: ["veo-3.1"],
    name: "Veo 3.1",
    tiers: [
      { name: "720p", sizes: HD, ...credits(20) },
      { name: "1080p", sizes: FULL_HD, ...credits(20) },
    ],
    renderSeconds: 120,
  },
];
