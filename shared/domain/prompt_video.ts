/** From a prompt and wishes to what a model is asked; or to why it can not be. */
import { checkRequest } from "./model_limits.ts";
import { allows, type Durations, type ModelSpec, type VideoRequest } from "./models.ts";
import { type PromptingStrategy, promptsOf } from "./prompts.ts";
import type { OptionProblem } from "./rhyme_video.ts";
import { type AspectRatio, dearestTier, shapesOf, sizeOfShape, tierNamed } from "./shapes.ts";

/** What a caller may ask of a video that is not from the catalogue. What is absent, the model decides. */
export interface Wish {
  readonly prompt: string;
  readonly negativePrompt?: string | undefined;
  readonly style?: string | undefined;
  readonly strategy?: PromptingStrategy | undefined;
  /** Seconds. */
  readonly duration?: number | undefined;
  readonly aspectRatio?: AspectRatio | undefined;
  /** Name of a quality: "720p". */
  readonly resolution?: string | undefined;
  readonly fps?: number | undefined;
  readonly seed?: number | undefined;
  readonly audio?: boolean | undefined;
  readonly firstFrame?: string | undefined;
  readonly lastFrame?: string | undefined;
}

/** One video as one model would make it. */
export interface Plan {
  readonly request: VideoRequest;
  /** Name of the quality, by which it is priced; empty where the model takes it from the picture. */
  readonly resolution: string;
  readonly aspectRatio: AspectRatio;
}

/** Seconds asked for where nobody says, if the model makes such. */
const USUAL_SECONDS = 5;
const USUAL_SHAPE = "16:9";

/** The request's own names for the fields that models speak of. */
const fieldNames: Readonly<Record<string, string>> = {
  durationSeconds: "duration",
  negativePrompt: "negative_prompt",
  firstFrame: "first_frame",
  lastFrame: "last_frame",
  size: "resolution",
};

/** Plans one video at one model, or tells every wish that the model can not meet. */
export function planPromptVideo(
  spec: ModelSpec,
  wish: Wish,
): Plan | { readonly problems: readonly OptionProblem[] } {
  const shape = shapeFor(spec, wish);
  if ("problem" in shape) return { problems: [shape.problem] };
  const { aspectRatio, resolution, durations } = shape;
  const request: VideoRequest = {
    ...promptsOf(wish, spec),
    durationSeconds: wish.duration ?? usualSeconds(durations),
    ...shape.size,
    ...(wish.fps === undefined ? {} : { fps: wish.fps }),
    ...(wish.seed === undefined ? {} : { seed: wish.seed }),
    ...(wish.audio === true ? { audio: true } : {}),
    ...(wish.firstFrame === undefined ? {} : { firstFrame: wish.firstFrame }),
    ...(wish.lastFrame === undefined ? {} : { lastFrame: wish.lastFrame }),
  };
  const problems = checkRequest(spec, request).map((problem) => ({
    ...problem,
    field: fieldNames[problem.field] ?? problem.field,
  }));
  return problems.length > 0 ? { problems } : { request, aspectRatio, resolution };
}

interface Shape {
  readonly aspectRatio: AspectRatio;
  readonly resolution: string;
  readonly durations: Durations;
  readonly size: { readonly width?: number; readonly height?: number };
}

function shapeFor(spec: ModelSpec, wish: Wish): Shape | { problem: OptionProblem } {
  const aspectRatio = wish.aspectRatio ?? USUAL_SHAPE;
  const start = wish.firstFrame === undefined ? "text" : "image";
  const tiers = spec.tiers.filter(({ modes = spec.modes }) => modes.includes(start));
  if (tiers.length === 0) {
    // The picture decides; a wish about it is left to whoever makes the picture.
    return { aspectRatio, resolution: "", durations: spec.durations, size: {} };
  }
  const { size: sizeRule } = spec.frames;
  const named = tierNamed({ ...spec, tiers }, wish.resolution);
  // A picture can be as large as the dearest quality, and whoever sent it is charged for that.
  const tier = start === "image" && sizeRule === "from_image" && named !== undefined
    ? dearestTier(tiers)
    : named;
  if (tier === undefined) {
    const message = `${spec.name} does not make "${wish.resolution}"`;
    return { problem: { field: "resolution", message, allowed: tiers.map(({ name }) => name) } };
  }
  const size = sizeOfShape(tier, aspectRatio);
  const fromPicture = start === "image" && sizeRule !== "as_asked";
  if (size === undefined && !fromPicture) {
    const message = `${spec.name} does not make "${aspectRatio}" at ${tier.name}`;
    return { problem: { field: "aspect_ratio", message, allowed: shapesOf(tier) } };
  }
  const durations = tier.durations ?? spec.durations;
  return { aspectRatio, resolution: tier.name, durations, size: size ?? {} };
}

function usualSeconds(durations: Durations): number {
  if (allows(durations, USUAL_SECONDS)) return USUAL_SECONDS;
  if ("min" in durations) return durations.min;
  const longer = durations.list.filter((seconds) => seconds >= USUAL_SECONDS);
  return Math.min(...(longer.length > 0 ? longer : durations.list));
}
