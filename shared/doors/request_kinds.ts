/**
 * The body of queue-video of every kind. Imported by the first who asks for another than a rhyme, for
 * it takes what a model can do.
 */
import { z } from "zod";
import { promptingStrategies } from "../domain/prompts.ts";
import { aspectRatios } from "../domain/shapes.ts";
import { videoKinds } from "../domain/video_kinds.ts";
import { parseFields } from "../http/body.ts";
import { duration, fps, id, modelName, seed } from "./fields.ts";
import { pictureUrl } from "./picture_url.ts";
import { type RhymeRequest, rhymeSchema } from "./rhyme_draft.ts";
import { promptWords, providerName, words } from "./words_fields.ts";

const modelFields = () => ({
  user_id: id.optional(),
  quote: z.boolean().optional(),
  child_id: id.optional(),
  title: words(1, 120).optional(),
  prompt: promptWords(),
  negative_prompt: promptWords().optional(),
  style: words(1, 200).optional(),
  prompting_strategy: z.enum(promptingStrategies).optional(),
  provider: providerName.optional(),
  model: modelName.optional(),
  duration: duration.optional(),
  aspect_ratio: z.enum(aspectRatios).optional(),
  resolution: z.string().regex(
    /^[0-9a-zA-Z]{2,20}$/,
    'must be a quality such as "720p"',
  )
    .optional(),
  fps: fps.optional(),
  seed: seed.optional(),
  audio: z.boolean().optional(),
  fallbacks: z.array(
    z.strictObject({ provider: providerName, model: modelName.optional() }),
  ).max(3)
    .optional(),
});

/** What a deployment allows in requests. */
export interface RequestRules {
  /** Hosts of pictures. */
  readonly imageHosts: readonly string[];
}

/** The schema for this deployment's hosts. Unknown fields are refused, so none is dropped. */
export function queueRequestSchema({ imageHosts }: RequestRules) {
  const frame = pictureUrl(imageHosts);
  const fields = modelFields();
  return z.discriminatedUnion("kind", [
    rhymeSchema,
    z.strictObject({ kind: z.literal("prompt"), ...fields }),
    z.strictObject({
      kind: z.literal("image"),
      ...fields,
      first_frame: frame,
      last_frame: frame.optional(),
    }),
    z.strictObject({ kind: z.literal("clip"), ...fields, first_frame: frame, last_frame: frame }),
  ]);
}

const someKind = z.looseObject({ kind: z.enum(videoKinds) });

/** 400 where the body is of no kind that there is. */
export function requireKind(body: unknown): void {
  parseFields(body, someKind);
}

/** A checked request of any kind. */
export type QueueRequest = z.infer<ReturnType<typeof queueRequestSchema>>;
/** One in the caller's own words. */
export type WordsRequest = Exclude<QueueRequest, RhymeRequest>;
