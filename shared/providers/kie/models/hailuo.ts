/** MiniMax models. From docs.kie.ai/market/hailuo and docs.kie.ai/market/minimax-h3, where it is "768P". */
import { type Family, given, type KieModel, tiers, type Wanted } from "./table.ts";

/** Hailuo has no field for the shape: words make 16:9. */
const WIDE = ["16:9"];
const H3_SHAPES = ["16:9", "9:16", "1:1", "4:3", "3:4", "21:9"];

const hailuo: Family & Pick<KieModel, "shapes"> = {
  modes: ["text", "image"],
  promptMax: 1_500,
  negativePromptMax: 0,
  durations: { list: [6, 10] },
  fps: [],
  frames: { last: true, size: "shape_from_image" },
  shapes: WIDE,
};

/** Both want a picture, a length and a quality, all as strings. */
function hailuo23(model: string): Pick<KieModel, "ask"> {
  return {
    ask: ({ task, quality }) => ({
      model,
      input: {
        prompt: task.prompt,
        image_url: task.firstFrame,
        duration: String(task.durationSeconds),
        resolution: quality.toUpperCase(),
      },
    }),
  };
}

function hailuo02Standard({ task, quality }: Wanted) {
  const input = {
    prompt: task.prompt,
    duration: String(task.durationSeconds),
    // What we send is meant as it is written.
    prompt_optimizer: false,
    nsfw_checker: true,
  };
  return task.firstFrame === undefined ? { model: "hailuo/02-text-to-video-standard", input } : {
    model: "hailuo/02-image-to-video-standard",
    input: {
      ...input,
      resolution: quality.toUpperCase(),
      image_url: task.firstFrame,
      ...given("end_image_url", task.lastFrame),
    },
  };
}

/** Newest first. */
export const hailuoModels: readonly KieModel[] = [
  {
    ...hailuo,
    id: "minimax-h3",
    aliases: ["minimax-h3/text-to-video", "minimax-h3/image-to-video"],
    name: "MiniMax H3",
    promptMax: 7_000,
    durations: { min: 4, max: 15, step: 1 },
    shapes: H3_SHAPES,
    tiers: tiers(H3_SHAPES, { "768p": 0.04, "2K": 0.065 }),
    renderSeconds: 150,
    ask({ task, quality, shape }) {
      const input = {
        prompt: task.prompt,
        duration: task.durationSeconds,
        resolution: quality.toUpperCase(),
      };
      return task.firstFrame === undefined
        ? { model: "minimax-h3/text-to-video", input: { ...input, aspect_ratio: shape } }
        : {
          model: "minimax-h3/image-to-video",
          input: {
            ...input,
            first_frame_url: task.firstFrame,
            ...given("last_frame_url", task.lastFrame),
          },
        };
    },
  },
  {
    ...hailuo,
    ...hailuo23("hailuo/2-3-image-to-video-standard"),
    id: "hailuo/2-3-image-to-video-standard",
    aliases: ["hailuo:2.3-standard"],
    name: "Hailuo 2.3 Standard",
    modes: ["image"],
    promptMax: 5_000,
    frames: { last: false, size: "shape_from_image" },
    tiers: hailuo23Tiers(),
    renderSeconds: 120,
  },
  {
    ...hailuo,
    ...hailuo23("hailuo/2-3-image-to-video-pro"),
    id: "hailuo/2-3-image-to-video-pro",
    aliases: ["hailuo:2.3-pro"],
    name: "Hailuo 2.3 Pro",
    modes: ["image"],
    promptMax: 5_000,
    frames: { last: false, size: "shape_from_image" },
    tiers: hailuo23Tiers(),
    renderSeconds: 150,
  },
  {
    ...hailuo,
    id: "hailuo/02-standard",
    aliases: ["hailuo/02-text-to-video-standard", "hailuo/02-image-to-video-standard"],
    name: "Hailuo 02 Standard",
    tiers: tiers(WIDE, { "768p": { 6: 0.15 } }),
    renderSeconds: 120,
    ask: hailuo02Standard,
  },
  {
    ...hailuo,
    id: "hailuo/02-pro",
    aliases: ["hailuo/02-text-to-video-pro", "hailuo/02-image-to-video-pro"],
    name: "Hailuo 02 Pro",
    // There is no field for the length.
    durations: { list: [6] },
    tiers: tiers(WIDE, { "1080p": null }),
    renderSeconds: 180,
    ask({ task }) {
      const input = { prompt: task.prompt, prompt_optimizer: false, nsfw_checker: true };
      return task.firstFrame === undefined ? { model: "hailuo/02-text-to-video-pro", input } : {
        model: "hailuo/02-image-to-video-pro",
        input: {
          ...input,
          image_url: task.firstFrame,
          ...given("end_image_url", task.lastFrame),
        },
      };
    },
  },
];

/** Ten seconds are not made in 1080p. */
function hailuo23Tiers(): KieModel["tiers"] {
  return tiers(WIDE, { "768p": null, "1080p": null })
    .map((tier) => tier.name === "1080p" ? { ...tier, durations: { list: [6] } } : tier);
}
