/**
 * The inputs of KIE's video models, as their pages at docs.kie.ai/market describe them: which
 * fields there are, which must be there, and whether a number is a number or a string. Written by
 * itself and not from the table of the adapter, so that each checks the other.
 */
import { z } from "zod";

const link = z.url({ protocol: /^https?$/ });
const prompt = (most: number) => z.string().min(1).max(most);
const number = (from: number, to: number) => z.number().int().min(from).max(to);
/** A whole number that is sent as a string. */
const digits = (from: number, to: number) =>
  z.string().regex(/^\d+$/).refine((text) => Number(text) >= from && Number(text) <= to);
const flag = z.boolean().optional();
const seed = number(-1, 2_147_483_647).optional();
const usual = z.enum(["16:9", "9:16", "1:1"]);
const seedanceShape = z.enum(["1:1", "4:3", "3:4", "16:9", "9:16", "21:9"]);
const fiveOrTen = z.enum(["5", "10"]);
const sixOrTen = z.enum(["6", "10"]);

const klingOld = (most: number) => ({
  prompt: prompt(most),
  duration: fiveOrTen,
  negative_prompt: z.string().max(500).optional(),
  cfg_scale: z.number().min(0).max(1).optional(),
});
const klingOldPicture = (most: number) => ({ ...klingOld(most), image_url: link });
const tail = { tail_image_url: link.optional() };

const hailuo02 = { prompt: prompt(1_500), prompt_optimizer: flag, nsfw_checker: flag };
const hailuo02Picture = { ...hailuo02, image_url: link, end_image_url: link.optional() };
const hailuo23 = {
  prompt: prompt(5_000),
  image_url: link,
  duration: sixOrTen,
  resolution: z.enum(["768P", "1080P"]),
};

const seedanceV1 = {
  prompt: prompt(10_000),
  duration: fiveOrTen.optional(),
  resolution: z.enum(["480p", "720p", "1080p"]).optional(),
  camera_fixed: flag,
  enable_safety_checker: flag,
  nsfw_checker: flag,
  seed,
};
const seedance2 = (resolutions: readonly [string, ...string[]], longest: number) => ({
  prompt: prompt(20_000),
  duration: number(4, longest).optional(),
  resolution: z.enum(resolutions).optional(),
  aspect_ratio: z.union([seedanceShape, z.literal("adaptive")]).optional(),
  generate_audio: flag,
  first_frame_url: link.optional(),
  last_frame_url: link.optional(),
  return_last_frame: flag,
});
const checked = { nsfw_checker: flag };

const pixverse = {
  prompt: z.string().min(3).max(5_000),
  duration: number(1, 15),
  quality: z.enum(["360p", "540p", "720p", "1080p"]),
  generate_audio_switch: flag,
  seed: number(0, 2_147_483_647).optional(),
};
const h3 = {
  prompt: prompt(7_000),
  duration: number(4, 15),
  resolution: z.enum(["768P", "2K"]).optional(),
};

/** The schema of each model's `input`. */
export const INPUTS: Readonly<Record<string, z.ZodObject>> = {
  "veo-3-1": z.strictObject({
    prompt: prompt(10_000),
    model: z.enum(["veo3_lite", "veo3_fast", "veo3"]).optional(),
    duration: z.union([z.literal(4), z.literal(6), z.literal(8)]).optional(),
    resolution: z.enum(["720p", "1080p", "4k"]).optional(),
    aspect_ratio: z.enum(["16:9", "9:16", "Auto"]).optional(),
    generation_type: z.enum([
      "TEXT_2_VIDEO",
      "FIRST_AND_LAST_FRAMES_2_VIDEO",
      "REFERENCE_2_VIDEO",
    ]).optional(),
    image_urls: z.array(link).min(1).max(2).optional(),
    enable_translation: flag,
  }),
  "kling-3.0/video": z.strictObject({
    prompt: prompt(2_500),
    duration: digits(3, 15),
    aspect_ratio: usual,
    mode: z.enum(["std", "pro", "4K"]),
    sound: z.boolean(),
    multi_shots: z.boolean(),
    multi_prompt: z.array(z.unknown()),
    image_urls: z.array(link).min(1).max(2).optional(),
  }),
  "kling/v3-turbo-text-to-video": z.strictObject({
    prompt: prompt(2_500),
    duration: digits(3, 15),
    resolution: z.enum(["720p", "1080p"]),
    aspect_ratio: usual,
  }),
  "kling/v3-turbo-image-to-video": z.strictObject({
    prompt: prompt(2_500),
    duration: digits(3, 15),
    resolution: z.enum(["720p", "1080p"]),
    image_urls: z.array(link).min(1),
  }),
  "kling-2.6/text-to-video": z.strictObject({
    prompt: prompt(1_000),
    duration: fiveOrTen,
    aspect_ratio: usual,
    sound: z.boolean(),
  }),
  "kling-2.6/image-to-video": z.strictObject({
    prompt: prompt(1_000),
    duration: fiveOrTen,
    image_urls: z.array(link).length(1),
    sound: z.boolean(),
  }),
  "kling/v2-5-turbo-text-to-video-pro": z.strictObject({
    ...klingOld(2_500),
    negative_prompt: z.string().max(2_500).optional(),
    aspect_ratio: usual.optional(),
  }),
  "kling/v2-5-turbo-image-to-video-pro": z.strictObject({ ...klingOldPicture(2_500), ...tail }),
  "kling/v2-1-master-text-to-video": z.strictObject({
    ...klingOld(5_000),
    aspect_ratio: usual.optional(),
  }),
  "kling/v2-1-master-image-to-video": z.strictObject(klingOldPicture(5_000)),
  "kling/v2-1-pro": z.strictObject({ ...klingOldPicture(5_000), ...tail }),
  "kling/v2-1-standard": z.strictObject(klingOldPicture(5_000)),
  "hailuo/02-text-to-video-standard": z.strictObject({ ...hailuo02, duration: sixOrTen }),
  "hailuo/02-image-to-video-standard": z.strictObject({
    ...hailuo02Picture,
    duration: sixOrTen,
    resolution: z.enum(["512P", "768P"]),
  }),
  "hailuo/02-text-to-video-pro": z.strictObject(hailuo02),
  "hailuo/02-image-to-video-pro": z.strictObject(hailuo02Picture),
  "hailuo/2-3-image-to-video-standard": z.strictObject(hailuo23),
  "hailuo/2-3-image-to-video-pro": z.strictObject({ ...hailuo23, nsfw_checker: flag }),
  "minimax-h3/text-to-video": z.strictObject({ ...h3, aspect_ratio: seedanceShape }),
  "minimax-h3/image-to-video": z.strictObject({
    ...h3,
    first_frame_url: link.optional(),
    last_frame_url: link.optional(),
  }),
  "bytedance/v1-lite-text-to-video": z.strictObject({
    ...seedanceV1,
    aspect_ratio: z.enum(["16:9", "4:3", "1:1", "3:4", "9:16", "9:21"]).optional(),
  }),
  "bytedance/v1-lite-image-to-video": z.strictObject({
    ...seedanceV1,
    image_url: link,
    end_image_url: link.optional(),
  }),
  "bytedance/v1-pro-text-to-video": z.strictObject({
    ...seedanceV1,
    aspect_ratio: seedanceShape.optional(),
  }),
  "bytedance/v1-pro-image-to-video": z.strictObject({ ...seedanceV1, image_url: link }),
  "bytedance/v1-pro-fast-image-to-video": z.strictObject({
    prompt: prompt(10_000),
    image_url: link,
    duration: fiveOrTen.optional(),
    resolution: z.enum(["720p", "1080p"]).optional(),
    nsfw_checker: flag,
  }),
  "bytedance/seedance-1.5-pro": z.strictObject({
    prompt: z.string().min(3).max(20_000),
    aspect_ratio: seedanceShape,
    duration: number(4, 12),
    resolution: z.enum(["480p", "720p", "1080p"]).optional(),
    input_urls: z.array(link).max(2).optional(),
    fixed_lens: flag,
    generate_audio: flag,
    nsfw_checker: flag,
  }),
  "bytedance/seedance-2": z.strictObject(seedance2(["480p", "720p", "1080p", "4k"], 15)),
  "bytedance/seedance-2-fast": z.strictObject({ ...seedance2(["480p", "720p"], 15), ...checked }),
  "bytedance/seedance-2-mini": z.strictObject({ ...seedance2(["480p", "720p"], 15), ...checked }),
  "bytedance/seedance-2-5": z.strictObject({
    ...seedance2(["480p", "720p", "1080p"], 30),
    ...checked,
    prompt: prompt(30_000),
    output_format: z.enum(["mp4", "mov"]).optional(),
  }),
  "pixverse-v6/text-to-video": z.strictObject({
    ...pixverse,
    aspect_ratio: z.enum(["16:9", "4:3", "1:1", "3:4", "9:16", "2:3", "3:2", "21:9"]),
  }),
  "pixverse-v6/image-to-video": z.strictObject({
    ...pixverse,
    image_urls: z.array(link).min(1).max(2),
  }),
  "pixverse-v6/transition": z.strictObject({
    ...pixverse,
    first_frame_image_url: link,
    last_frame_image_url: link,
  }),
};
