/** PixVerse. From docs.kie.ai/market/pixverse. */
import { given, type KieModel, tiers } from "./table.ts";

const SHAPES = ["16:9", "9:16", "1:1", "4:3", "3:4", "3:2", "2:3", "21:9"];

/** The one of them that is sold here. */
export const pixverseModels: readonly KieModel[] = [
  {
    id: "pixverse-v6",
    aliases: ["pixverse-v6/text-to-video", "pixverse-v6/image-to-video", "pixverse-v6/transition"],
    name: "PixVerse V6",
    modes: ["text", "image"],
    promptMax: 5_000,
    negativePromptMax: 0,
    durations: { min: 1, max: 15, step: 1 },
    fps: [],
    frames: { last: true, size: "shape_from_image" },
    audio: "on_request",
    seed: true,
    shapes: SHAPES,
    // 0.036 to 0.092 USD a second in 720p, and nobody says for which length or sound.
    tiers: tiers(SHAPES, { "360p": null, "540p": null, "720p": null, "1080p": null }),
    renderSeconds: 60,
    ask({ task, quality, shape }) {
      const { firstFrame, lastFrame } = task;
      const input = {
        prompt: task.prompt,
        duration: task.durationSeconds,
        quality,
        generate_audio_switch: task.audio === true,
        ...given("seed", task.seed),
      };
      if (firstFrame === undefined) {
        return { model: "pixverse-v6/text-to-video", input: { ...input, aspect_ratio: shape } };
      }
      if (lastFrame === undefined) {
        return {
          model: "pixverse-v6/image-to-video",
          input: { ...input, image_urls: [firstFrame] },
        };
      }
      return {
        model: "pixverse-v6/transition",
        input: { ...input, first_frame_image_url: firstFrame, last_frame_image_url: lastFrame },
      };
    },
  },
];
