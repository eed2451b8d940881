/** Kling models. From docs.kie.ai/market/kling. Lengths are strings in all of them. */
import {
  type Family,
  framesOf,
  given,
  type KieModel,
  tiers,
  USUAL_SHAPES,
  type Wanted,
} from "./table.ts";

const kling: Family & Pick<KieModel, "shapes"> = {
  modes: ["text", "image"],
  promptMax: 2_500,
  negativePromptMax: 0,
  durations: { min: 3, max: 15, step: 1 },
  fps: [],
  frames: { last: false, size: "shape_from_image" },
  shapes: USUAL_SHAPES,
};

/** The range before 2.6: a negative prompt, one picture a field, and no choice of quality. */
const klingOfOld: typeof kling = {
  ...kling,
  negativePromptMax: 500,
  durations: { list: [5, 10] },
};

/** What every older model takes, beside its picture or its shape. */
function oldInput({ task }: Wanted) {
  return {
    prompt: task.prompt,
    duration: String(task.durationSeconds),
    ...given("negative_prompt", task.negativePrompt),
  };
}

function oldPicture(wanted: Wanted) {
  const { firstFrame, lastFrame } = wanted.task;
  return {
    ...oldInput(wanted),
    image_url: firstFrame,
    ...given("tail_image_url", lastFrame),
  };
}

/** Two ids, one for words and one for pictures. */
function oldPair(words: string, picture: string): Pick<KieModel, "ask" | "aliases"> {
  return {
    aliases: [words, picture],
    ask: (wanted) =>
      wanted.task.firstFrame === undefined
        ? { model: words, input: { ...oldInput(wanted), aspect_ratio: wanted.shape } }
        : { model: picture, input: oldPicture(wanted) },
  };
}

/** `mode` is how Kling 3.0 calls its qualities. */
const modes: Readonly<Record<string, string>> = { "720p": "std", "1080p": "pro", "4K": "4K" };

/** Newest first. */
export const klingModels: readonly KieModel[] = [
  {
    ...kling,
    id: "kling-3.0/video",
    aliases: ["kling:3.0"],
    name: "Kling 3.0",
    audio: "on_request",
    frames: { last: true, size: "shape_from_image" },
    tiers: tiers(USUAL_SHAPES, { "720p": null, "1080p": 0.09, "4K": null }, { "1080p": 0.135 }),
    renderSeconds: 180,
    ask: ({ task, quality, shape }) => ({
      model: "kling-3.0/video",
      input: {
        prompt: task.prompt,
        duration: String(task.durationSeconds),
        // Required, and without meaning where there are frames.
        aspect_ratio: shape,
        mode: modes[quality] ?? "std",
        sound: task.audio === true,
        multi_shots: false,
        multi_prompt: [],
        ...given("image_urls", task.firstFrame === undefined ? undefined : framesOf(task)),
      },
    }),
  },
  {
    ...kling,
    id: "kling/v3-turbo",
    aliases: ["kling/v3-turbo-text-to-video", "kling/v3-turbo-image-to-video"],
    name: "Kling 3.0 Turbo",
    tiers: tiers(USUAL_SHAPES, { "720p": null, "1080p": 0.1125 }),
    renderSeconds: 90,
    ask({ task, quality, shape }) {
      const input = {
        prompt: task.prompt,
        duration: String(task.durationSeconds),
        resolution: quality,
      };
      return task.firstFrame === undefined
        ? { model: "kling/v3-turbo-text-to-video", input: { ...input, aspect_ratio: shape } }
        : {
          model: "kling/v3-turbo-image-to-video",
          input: { ...input, image_urls: [task.firstFrame] },
        };
    },
  },
  {
    ...kling,
    id: "kling-2.6",
    aliases: ["kling-2.6/text-to-video", "kling-2.6/image-to-video"],
    name: "Kling 2.6",
    audio: "on_request",
    promptMax: 1_000,
    durations: { list: [5, 10] },
    tiers: tiers(USUAL_SHAPES, { "1080p": null }),
    renderSeconds: 150,
    ask({ task, shape }) {
      const input = {
        prompt: task.prompt,
        duration: String(task.durationSeconds),
        sound: task.audio === true,
      };
      return task.firstFrame === undefined
        ? { model: "kling-2.6/text-to-video", input: { ...input, aspect_ratio: shape } }
        : { model: "kling-2.6/image-to-video", input: { ...input, image_urls: [task.firstFrame] } };
    },
  },
  {
    ...klingOfOld,
    ...oldPair("kling/v2-5-turbo-text-to-video-pro", "kling/v2-5-turbo-image-to-video-pro"),
    id: "kling/v2-5-turbo-pro",
    name: "Kling 2.5 Turbo Pro",
    frames: { last: true, size: "shape_from_image" },
    tiers: tiers(USUAL_SHAPES, { "1080p": null }),
    renderSeconds: 120,
  },
  {
    ...klingOfOld,
    ...oldPair("kling/v2-1-master-text-to-video", "kling/v2-1-master-image-to-video"),
    id: "kling/v2-1-master",
    name: "Kling 2.1 Master",
    promptMax: 5_000,
    tiers: tiers(USUAL_SHAPES, { "1080p": null }),
    renderSeconds: 240,
  },
  {
    ...klingOfOld,
    id: "kling/v2-1-pro",
    aliases: ["kling:2.1-pro"],
    name: "Kling 2.1 Pro",
    modes: ["image"],
    promptMax: 5_000,
    frames: { last: true, size: "shape_from_image" },
    tiers: tiers(USUAL_SHAPES, { "1080p": null }),
    renderSeconds: 180,
    ask: (wanted) => ({ model: "kling/v2-1-pro", input: oldPicture(wanted) }),
  },
  {
    ...klingOfOld,
    id: "kling/v2-1-standard",
    aliases: ["kling:2.1-standard"],
    name: "Kling 2.1 Standard",
    modes: ["image"],
    promptMax: 5_000,
    tiers: tiers(USUAL_SHAPES, { "720p": null }),
    renderSeconds: 150,
    ask: (wanted) => ({ model: "kling/v2-1-standard", input: oldPicture(wanted) }),
  },
];
