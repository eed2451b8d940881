/** Seedance models of ByteDance. From docs.kie.ai/market/bytedance. */
import { type Family, framesOf, given, type KieModel, tiers, type Wanted } from "./table.ts";

const SHAPES = ["16:9", "9:16", "1:1", "4:3", "3:4", "21:9"];

const seedance: Family & Pick<KieModel, "shapes"> = {
  modes: ["text", "image"],
  promptMax: 20_000,
  negativePromptMax: 0,
  durations: { min: 4, max: 15, step: 1 },
  fps: [24],
  frames: { last: true, size: "shape_from_image" },
  audio: "on_request",
  shapes: SHAPES,
};

/** The range before 1.5: lengths as strings, one picture a field, a seed but for the fast one. */
const seedanceOfOld: typeof seedance = {
  ...seedance,
  promptMax: 10_000,
  durations: { list: [5, 10] },
  audio: "never",
  seed: true,
};

/** Seedance 2 and later: one id for words and frames. */
function asking(model: string, { checker }: { checker: "has" | "lacks" }): Pick<KieModel, "ask"> {
  return {
    ask: ({ task, quality, shape }) => ({
      model,
      input: {
        prompt: task.prompt,
        duration: task.durationSeconds,
        resolution: quality,
        // With frames, the shape is theirs.
        aspect_ratio: task.firstFrame === undefined ? shape : "adaptive",
        // On unless switched off, and dearer.
        generate_audio: task.audio === true,
        ...(checker === "has" ? { nsfw_checker: true } : {}),
        ...given("first_frame_url", task.firstFrame),
        ...given("last_frame_url", task.lastFrame),
      },
    }),
  };
}

/** Ids of the first range follow one pattern. */
function askingOfOld(stem: string): Pick<KieModel, "ask"> {
  return {
    ask({ task, quality, shape }: Wanted) {
      const input = {
        prompt: task.prompt,
        duration: String(task.durationSeconds),
        resolution: quality,
        nsfw_checker: true,
        ...given("seed", task.seed),
      };
      return task.firstFrame === undefined
        ? { model: `${stem}-text-to-video`, input: { ...input, aspect_ratio: shape } }
        : {
          model: `${stem}-image-to-video`,
          input: {
            ...input,
            image_url: task.firstFrame,
            ...given("end_image_url", task.lastFrame),
          },
        };
    },
  };
}

/** Newest first. Prices are without sound, where there is a choice; nobody tells those with it. */
export const seedanceModels: readonly KieModel[] = [
  {
    ...seedance,
    ...asking("bytedance/seedance-2-5", { checker: "has" }),
    id: "bytedance/seedance-2-5",
    aliases: ["seedance:2.5"],
    name: "Seedance 2.5",
    promptMax: 30_000,
    durations: { min: 4, max: 30, step: 1 },
    tiers: tiers(SHAPES, { "480p": 0.14, "720p": 0.315, "1080p": 0.79 }),
    renderSeconds: 240,
  },
  {
    ...seedance,
    ...asking("bytedance/seedance-2", { checker: "lacks" }),
    id: "bytedance/seedance-2",
    aliases: ["seedance:2.0"],
    name: "Seedance 2.0",
    tiers: tiers(SHAPES, { "480p": null, "720p": 0.205, "1080p": null }),
    renderSeconds: 180,
  },
  {
    ...seedance,
    ...asking("bytedance/seedance-2-fast", { checker: "has" }),
    id: "bytedance/seedance-2-fast",
    aliases: ["seedance:2.0-fast"],
    name: "Seedance 2.0 Fast",
    tiers: tiers(SHAPES, { "480p": null, "720p": 0.124 }),
    renderSeconds: 100,
  },
  {
    ...seedance,
    ...asking("bytedance/seedance-2-mini", { checker: "has" }),
    id: "bytedance/seedance-2-mini",
    aliases: ["seedance:2.0-mini"],
    name: "Seedance 2.0 Mini",
    tiers: tiers(SHAPES, { "480p": null, "720p": 0.041 }),
    renderSeconds: 70,
  },
  {
    ...seedance,
    id: "bytedance/seedance-1.5-pro",
    aliases: ["seedance:1.5-pro"],
    name: "Seedance 1.5 Pro",
    durations: { min: 4, max: 12, step: 1 },
    tiers: tiers(SHAPES, { "480p": null, "720p": null, "1080p": null }),
    renderSeconds: 120,
    ask: ({ task, quality, shape }) => ({
      model: "bytedance/seedance-1.5-pro",
      input: {
        prompt: task.prompt,
        duration: task.durationSeconds,
        resolution: quality,
        // Required with pictures too.
        aspect_ratio: shape,
        generate_audio: task.audio === true,
        nsfw_checker: true,
        ...given("input_urls", task.firstFrame === undefined ? undefined : framesOf(task)),
      },
    }),
  },
  {
    ...seedanceOfOld,
    ...askingOfOld("bytedance/v1-pro"),
    id: "bytedance/v1-pro",
    aliases: ["bytedance/v1-pro-text-to-video", "bytedance/v1-pro-image-to-video"],
    name: "Seedance 1.0 Pro",
    frames: { last: false, size: "shape_from_image" },
    tiers: tiers(SHAPES, { "480p": 0.014, "720p": 0.03, "1080p": 0.07 }),
    renderSeconds: 90,
  },
  {
    ...seedanceOfOld,
    ...askingOfOld("bytedance/v1-lite"),
    id: "bytedance/v1-lite",
    aliases: ["bytedance/v1-lite-text-to-video", "bytedance/v1-lite-image-to-video"],
    name: "Seedance 1.0 Lite",
    // Unlike the others it makes no 21:9.
    shapes: SHAPES.slice(0, 5),
    tiers: tiers(SHAPES.slice(0, 5), { "480p": null, "720p": null, "1080p": null }),
    renderSeconds: 60,
  },
  {
    ...seedanceOfOld,
    ...askingOfOld("bytedance/v1-pro-fast"),
    id: "bytedance/v1-pro-fast-image-to-video",
    aliases: ["seedance:1.0-pro-fast"],
    name: "Seedance 1.0 Pro Fast",
    modes: ["image"],
    seed: false,
    frames: { last: false, size: "shape_from_image" },
    tiers: tiers(SHAPES, { "720p": null, "1080p": null }),
    renderSeconds: 50,
  },
];
