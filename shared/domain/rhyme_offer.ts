/** What a rhyme with its caller's wishes asks of a model, and whether the rhyme's price pays for it. */
import { estimateUsd, findModel, type ModelSpec, type VideoRequest } from "./models.ts";
import { rhymePrompts } from "./prompts.ts";

/** A catalogue row, as far as making the video goes. */
export interface Rhyme {
  readonly title: string;
  readonly promptTemplate: string;
  readonly negativePrompt?: string;
  readonly style?: string;
  readonly videoTemplateUrl?: string;
  readonly model: string;
  readonly durationSeconds: number;
  readonly width: number;
  readonly height: number;
}

/** What a caller may wish for; what is absent comes from the rhyme. */
export interface RhymeOptions {
  readonly model?: string | undefined;
  /** Seconds. */
  readonly duration?: number | undefined;
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  readonly fps?: number | undefined;
  readonly seed?: number | undefined;
}

/** Who is in the video. */
export interface Star {
  readonly childName: string;
  readonly avatarUrl?: string | undefined;
}

/** What a rhyme's wishes are judged by. */
export interface Offer {
  readonly rhyme: Rhyme;
  readonly star: Star;
  readonly models: readonly ModelSpec[];
}

/** What is asked of this model. */
export function requestFor(
  spec: ModelSpec,
  rhyme: Rhyme,
  options: RhymeOptions,
  star: Star,
): VideoRequest {
  const prompts = rhymePrompts(
    rhyme,
    { name: star.childName, hasAvatar: star.avatarUrl !== undefined },
    spec,
  );
  // One side given without the other is a mistake to be told, not to be completed.
  const sized = options.width === undefined && options.height === undefined
    ? { width: rhyme.width, height: rhyme.height }
    : { width: options.width, height: options.height };
  return {
    ...prompts,
    durationSeconds: options.duration ?? rhyme.durationSeconds,
    ...(sized.width === undefined ? {} : { width: sized.width }),
    ...(sized.height === undefined ? {} : { height: sized.height }),
    ...(options.fps === undefined ? {} : { fps: options.fps }),
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    ...(star.avatarUrl === undefined ? {} : { firstFrame: star.avatarUrl }),
  };
}

/** Why the rhyme's price does not cover this: it costs us more, or nobody knows what. */
export function refusalOf(
  spec: ModelSpec,
  options: RhymeOptions,
  { rhyme, star, models }: Offer,
): "dearer" | "unsold" | undefined {
  const request = requestFor(spec, rhyme, options, star);
  const own = findModel(models, rhyme.model);
  const paidFor = own === undefined ? null : estimateUsd(own, {
    ...request,
    durationSeconds: rhyme.durationSeconds,
    width: rhyme.width,
    height: rhyme.height,
  });
  const cost = estimateUsd(spec, request);
  if (cost !== null && paidFor !== null) return cost <= paidFor ? undefined : "dearer";
  return spec.id === own?.id && cost === paidFor ? undefined : "unsold";
}
