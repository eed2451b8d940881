/** From a rhyme, a child and the caller's wishes to what a model is asked; or to why it cannot be. */
import { checkRequest, inWordsOf, type OptionProblem } from "./model_limits.ts";
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

/** What to ask of which model, or the problems that forbid it. */
export type RhymePlan =
  | { readonly spec: ModelSpec; readonly request: VideoRequest }
  | { readonly problems: readonly OptionProblem[] };

/** The request's own names for the fields that models speak of. */
const fieldNames: Readonly<Record<string, string>> = {
  durationSeconds: "duration",
  firstFrame: "avatar_url",
  size: "width, height",
};

/**
 * Plans one video. The rhyme's price pays for what the rhyme itself would cost us: a wish that is
 * dearer (or whose cost nobody knows) is a problem too.
 */
export function planRhymeVideo(
  rhyme: Rhyme,
  options: RhymeOptions,
  star: { childName: string; avatarUrl?: string | undefined },
  models: readonly ModelSpec[],
): RhymePlan {
  const name = options.model ?? rhyme.model;
  const spec = findModel(models, name);
  if (spec === undefined) return { problems: [unknownModel(name, models)] };

  const request = requestFor(spec, rhyme, options, star);
  const problems = inWordsOf(fieldNames, [
    ...sizeOfThePicture(spec, options, star),
    ...checkRequest(spec, request),
  ]);
  if (problems.length > 0) return { problems };
  const dearer = Object.values(options).some((wish) => wish !== undefined)
    ? exceedsRhymePrice(spec, request, rhyme, models)
    : undefined;
  return dearer === undefined ? { spec, request } : { problems: [dearer] };
}

function requestFor(
  spec: ModelSpec,
  rhyme: Rhyme,
  options: RhymeOptions,
  star: { childName: string; avatarUrl?: string | undefined },
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

/** A size that is wished for and that the child's picture would decide instead. */
function sizeOfThePicture(
  { name, frames, tiers }: ModelSpec,
  { width, height }: RhymeOptions,
  { avatarUrl }: { avatarUrl?: string | undefined },
): OptionProblem[] {
  if (avatarUrl === undefined || (width === undefined && height === undefined)) return [];
  if (frames.size === "as_asked" && tiers.length > 0) return [];
  const message = `${name} takes its size from the child's picture, so leave it out`;
  return [{ field: "size", message, allowed: [] }];
}

function unknownModel(name: string, models: readonly ModelSpec[]): OptionProblem {
  return {
    field: "model",
    message: `"${name}" is not a model of this provider`,
    allowed: models.filter((model) => model.retired !== true).map((model) => model.id),
  };
}

function exceedsRhymePrice(
  spec: ModelSpec,
  request: VideoRequest,
  rhyme: Rhyme,
  models: readonly ModelSpec[],
): OptionProblem | undefined {
  const own = findModel(models, rhyme.model);
  const paidFor = own === undefined ? null : estimateUsd(own, {
    ...request,
    durationSeconds: rhyme.durationSeconds,
    width: rhyme.width,
    height: rhyme.height,
  });
  const cost = estimateUsd(spec, request);
  if (cost !== null && paidFor !== null && cost <= paidFor) return undefined;
  if (spec.id === own?.id && cost === paidFor) return undefined;
  return {
    field: spec.id === own?.id ? "duration, width, height" : "model",
    message: "this costs more than the rhyme's price covers",
    allowed: spec.id === own?.id
      ? [rhyme.durationSeconds, `${rhyme.width}x${rhyme.height}`]
      : [rhyme.model],
  };
}
