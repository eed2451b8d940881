/** From a prompt and wishes to what a model is asked; or to why it cannot be. */
import { checkRequest, inWordsOf, type OptionProblem } from "./model_limits.ts";
import { allows, type Durations, type ModelSpec, type VideoRequest } from "./models.ts";
import { type PromptingStrategy, wordsPrompts } from "./prompts.ts";
import { type AspectRatio, mostExpensiveTier, shapesOf, sizeOfShape, tierNamed } from "./shapes.ts";

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
  /** What is meant where nobody asks. Never a problem where a picture decides it. */
  readonly usual?: {
    readonly aspectRatio?: AspectRatio | undefined;
    /** Taken by models that have it. */
    readonly resolution?: string | undefined;
  };
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

/** Plans one video at one model, or tells every wish that the model cannot meet. */
export function planPromptVideo(
  spec: ModelSpec,
  wish: Wish,
): Plan | { readonly problems: readonly OptionProblem[] } {
  const shape = shapeFor(spec, wish);
  if ("problems" in shape) return shape;
  const { aspectRatio, resolution, durations } = shape;
  const request: VideoRequest = {
    ...wordsPrompts(wish, spec),
    durationSeconds: wish.duration ?? usualSeconds(durations),
    ...shape.size,
    ...(wish.fps === undefined ? {} : { fps: wish.fps }),
    ...(wish.seed === undefined ? {} : { seed: wish.seed }),
    ...(wish.audio === undefined ? {} : { audio: wish.audio }),
    ...(wish.firstFrame === undefined ? {} : { firstFrame: wish.firstFrame }),
    ...(wish.lastFrame === undefined ? {} : { lastFrame: wish.lastFrame }),
  };
  const found = checkRequest(spec, request);
  // A model that starts from pictures only lacks no size but the picture.
  const lacksPicture = wish.firstFrame === undefined &&
    found.some(({ field }) => field === "firstFrame");
  const told = lacksPicture ? found.filter(({ field }) => field !== "size") : found;
  const problems = inWordsOf(fieldNames, told);
  return problems.length > 0 ? { problems } : { request, aspectRatio, resolution };
}

interface Shape {
  readonly aspectRatio: AspectRatio;
  readonly resolution: string;
  readonly durations: Durations;
  readonly size: { readonly width?: number; readonly height?: number };
}

function shapeFor(
  spec: ModelSpec,
  wish: Wish,
): Shape | { problems: readonly OptionProblem[] } {
  const aspectRatio = wish.aspectRatio ?? wish.usual?.aspectRatio ?? USUAL_SHAPE;
  const start = wish.firstFrame === undefined ? "text" : "image";
  const sizeRule = spec.tiers.length === 0 ? "from_image" : spec.frames.size;
  const fromPicture = start === "image" && sizeRule !== "as_asked";
  if (fromPicture) {
    const problems = leftToThePicture(spec, wish, sizeRule);
    if (problems.length > 0) return { problems };
  }
  const tiers = spec.tiers.filter(({ modes = spec.modes }) => modes.includes(start));
  if (tiers.length === 0) {
    return { aspectRatio, resolution: "", durations: spec.durations, size: {} };
  }

  const usual = tiers.find(({ name }) => name === wish.usual?.resolution)?.name;
  const named = tierNamed({ ...spec, tiers }, wish.resolution ?? usual);
  // A picture can be as large as the dearest quality, and whoever sent it is charged for that.
  const tier = fromPicture && sizeRule === "from_image" ? mostExpensiveTier(tiers) : named;
  if (tier === undefined) {
    const message = `${spec.name} does not make "${wish.resolution}"`;
    const allowed = tiers.map(({ name }) => name);
    return { problems: [{ field: "resolution", message, allowed }] };
  }
  const size = sizeOfShape(tier, aspectRatio);
  if (size === undefined && !fromPicture) {
    const message = `${spec.name} does not make "${aspectRatio}" at ${tier.name}`;
    return { problems: [{ field: "aspect_ratio", message, allowed: shapesOf(tier) }] };
  }
  const durations = tier.durations ?? spec.durations;
  // Any size tells the quality; the shape is the picture's.
  return { aspectRatio, resolution: tier.name, durations, size: size ?? tier.sizes[0] ?? {} };
}

/** Wishes that a model cannot meet because its picture decides. */
function leftToThePicture(
  { name }: ModelSpec,
  { aspectRatio, resolution }: Wish,
  rule: "from_image" | "shape_from_image",
): OptionProblem[] {
  const refuse = (field: string, what: string): OptionProblem => ({
    field,
    message: `${name} takes its ${what} from the picture, so leave this out`,
    allowed: [],
  });
  return [
    ...(aspectRatio === undefined ? [] : [refuse("aspect_ratio", "shape")]),
    ...(resolution === undefined || rule === "shape_from_image"
      ? []
      : [refuse("resolution", "size")]),
  ];
}

function usualSeconds(durations: Durations): number {
  if (allows(durations, USUAL_SECONDS)) return USUAL_SECONDS;
  if ("min" in durations) return durations.min;
  const longer = durations.list.filter((seconds) => seconds >= USUAL_SECONDS);
  return Math.min(...(longer.length > 0 ? longer : durations.list));
}
