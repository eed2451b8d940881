/** Veo 3.1, one id at KIE with three engines in its input. From docs.kie.ai/veo3-api. */
import { type Family, framesOf, given, type KieModel, tiers } from "./table.ts";

/** The only shapes; "Auto" follows the picture. */
const SHAPES = ["16:9", "9:16"];

const veo: Family & Pick<KieModel, "shapes"> = {
  modes: ["text", "image"],
  // None is given. Runware's pages of the same engine say 3,000.
  promptMax: 3_000,
  negativePromptMax: 0,
  // 4 and 6 too, but KIE's price is that of a video and known for its usual length only.
  durations: { list: [8] },
  fps: [24],
  frames: { last: true, size: "shape_from_image" },
  audio: "always",
  shapes: SHAPES,
};

function asking(engine: string): Pick<KieModel, "ask"> {
  return {
    ask({ task, quality, shape }) {
      const frames = framesOf(task);
      return {
        model: "veo-3-1",
        input: {
          prompt: task.prompt,
          model: engine,
          duration: task.durationSeconds,
          resolution: quality,
          aspect_ratio: frames.length > 0 ? "Auto" : shape,
          generation_type: frames.length > 0 ? "FIRST_AND_LAST_FRAMES_2_VIDEO" : "TEXT_2_VIDEO",
          // Our prompts are written in English; a translation could only change them.
          enable_translation: false,
          ...given("image_urls", frames.length > 0 ? frames : undefined),
        },
      };
    },
  };
}

/** Cheapest first. Prices are with sound, which is always on. */
export const veoModels: readonly KieModel[] = [
  {
    ...veo,
    ...asking("veo3_lite"),
    id: "veo3_lite",
    aliases: ["veo-3.1-lite"],
    name: "Veo 3.1 Lite",
    tiers: tiers(SHAPES, { "720p": null, "1080p": { 8: 0.175 } }),
    renderSeconds: 80,
  },
  {
    ...veo,
    ...asking("veo3_fast"),
    id: "veo3_fast",
    aliases: ["veo-3-1", "veo-3.1-fast"],
    name: "Veo 3.1 Fast",
    tiers: tiers(SHAPES, { "720p": null, "1080p": { 8: 0.325 } }),
    renderSeconds: 90,
  },
  {
    ...veo,
    ...asking("veo3"),
    id: "veo3",
    aliases: ["veo-3.1"],
    name: "Veo 3.1 Quality",
    tiers: tiers(SHAPES, { "720p": null, "1080p": { 8: 1.275 } }),
    renderSeconds: 150,
  },
];
