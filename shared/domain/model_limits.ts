/** Refuses what a model cannot do, by field and with what would do instead. */
import { oneOf } from "../one_of.ts";
import {
  allows,
  type Durations,
  type ModelSpec,
  PROMPT_MIN,
  type Size,
  sizeOf,
  type SizeTier,
  tierOf,
  type VideoRequest,
} from "./models.ts";
import { childSafeNegativePrompt } from "./prompts.ts";

/** Every number from one end to the other, in steps if it says so. Of a text: how many characters. */
export interface Range {
  readonly min: number;
  readonly max: number;
  readonly step?: number;
}

/** What would be taken: values, and ranges of them. Empty: leave the field out. */
export type Allowed = readonly (string | number | boolean | Range)[];

/** Why a request cannot be made as asked. */
export interface Problem {
  /** The field of the request; "size" stands for width and height together. */
  readonly field: Exclude<keyof VideoRequest, "width" | "height"> | "model" | "size";
  /** One sentence that quotes the value. */
  readonly message: string;
  readonly allowed: Allowed;
}

/** The same in the words of a request: the door's 422. */
export interface OptionProblem {
  readonly field: string;
  readonly message: string;
  /** Absent where nothing would help but to ask for something else. */
  readonly allowed?: Allowed;
}

/** The smallest upper end among the models' seed ranges; above it some models refuse. */
const SEED_MAX = 2_147_483_647;

/** Everything in the request that the model cannot do; empty when it can be made. */
export function checkRequest(spec: ModelSpec, request: VideoRequest): Problem[] {
  return [
    checkModel(spec),
    checkPrompt(spec, request),
    checkNegativePrompt(spec, request),
    checkDuration(spec, request),
    checkSize(spec, request),
    checkFps(spec, request),
    checkSeed(spec, request),
    checkAudio(spec, request),
    checkFirstFrame(spec, request),
    checkLastFrame(spec, request),
  ].filter((problem) => problem !== undefined);
}

/** These problems, each by the name that the request has for its field. */
export function inWordsOf(
  names: Readonly<Record<string, string>>,
  problems: readonly OptionProblem[],
): OptionProblem[] {
  return problems.map((problem) => ({ ...problem, field: names[problem.field] ?? problem.field }));
}

function checkModel(spec: ModelSpec): Problem | undefined {
  if (spec.retired !== true) return undefined;
  return { field: "model", message: `${spec.name} is no longer offered`, allowed: [] };
}

function checkPrompt(spec: ModelSpec, { prompt }: VideoRequest): Problem | undefined {
  return checkLength("prompt", prompt, spec.promptMax, spec);
}

function checkNegativePrompt(
  spec: ModelSpec,
  { negativePrompt }: VideoRequest,
): Problem | undefined {
  if (negativePrompt === undefined) return undefined;
  if (spec.negativePromptMax > 0) {
    // A caller is told of the room for words of their own.
    const ours = `${childSafeNegativePrompt}, `;
    return negativePrompt.startsWith(ours)
      ? checkLength(
        "negativePrompt",
        negativePrompt.slice(ours.length),
        spec.negativePromptMax - ours.length,
        spec,
      )
      : checkLength("negativePrompt", negativePrompt, spec.negativePromptMax, spec);
  }
  const message = `${spec.name} takes no negative prompt, so leave it out`;
  return { field: "negativePrompt", message, allowed: [] };
}

function checkLength(
  field: "prompt" | "negativePrompt",
  text: string,
  max: number,
  spec: ModelSpec,
): Problem | undefined {
  if (text.trim().length >= PROMPT_MIN && text.length <= max) return undefined;
  const message =
    `${spec.name} takes ${PROMPT_MIN} to ${max} characters here, and there are ${text.length}`;
  return { field, message, allowed: [{ min: PROMPT_MIN, max }] };
}

function checkDuration(spec: ModelSpec, request: VideoRequest): Problem | undefined {
  const { tier, durations } = durationsFor(spec, request);
  if (allows(durations, request.durationSeconds)) return undefined;
  const where = tier?.durations === undefined ? spec.name : `${spec.name} at ${tier.name}`;
  return {
    field: "durationSeconds",
    message: `${where} makes ${describe(durations)}, not ${request.durationSeconds}`,
    allowed: "list" in durations ? durations.list : [durations],
  };
}

/** The lengths that the model makes at the size asked for, and the quality that has them of its own. */
export function durationsFor(
  spec: ModelSpec,
  request: VideoRequest,
): { durations: Durations; tier: SizeTier | undefined } {
  const size = sizeOf(request);
  const tier = size === undefined ? undefined : tierOf(spec, size);
  return { tier, durations: tier?.durations ?? spec.durations };
}

function describe(durations: Durations): string {
  if ("list" in durations) return `${oneOf(durations.list)} seconds`;
  return `${durations.min} to ${durations.max} seconds in steps of ${durations.step}`;
}

function checkSize(spec: ModelSpec, request: VideoRequest): Problem | undefined {
  const tiers = tiersFor(spec, request);
  const allowed = tiers.flatMap((tier) => tier.sizes.map(written));
  const refuse = (message: string): Problem => ({ field: "size", message, allowed });
  const size = sizeOf(request);
  if (size !== undefined) {
    // Without tiers the picture decides. The size asked for is then a wish, as with any first frame.
    if (spec.tiers.length === 0 || tierOf({ ...spec, tiers }, size) !== undefined) return undefined;
    return refuse(`${spec.name} does not make "${written(size)}"`);
  }
  if (request.width !== undefined || request.height !== undefined) {
    return refuse("Width and height go together, and one of them is missing");
  }
  if (request.firstFrame !== undefined || spec.sizeOptional === true) return undefined;
  if (spec.tiers.length === 0) return undefined;
  return refuse(`${spec.name} needs a size when there is no first frame`);
}

/** The sizes that the model makes from such a start. */
export function sizesFor(spec: ModelSpec, request: VideoRequest): Size[] {
  return tiersFor(spec, request).flatMap(({ sizes }) => sizes);
}

function tiersFor(spec: ModelSpec, { firstFrame }: VideoRequest): SizeTier[] {
  const start = firstFrame === undefined ? "text" : "image";
  return spec.tiers.filter(({ modes }) => modes === undefined || modes.includes(start));
}

/** A size as people write it: 1920x1080. */
export function written({ width, height }: Size): string {
  return `${width}x${height}`;
}

function checkFps(spec: ModelSpec, { fps }: VideoRequest): Problem | undefined {
  if (fps === undefined || spec.fps.includes(fps)) return undefined;
  const message = `${spec.name} does not make "${fps}" frames per second`;
  return { field: "fps", message, allowed: spec.fps };
}

function checkSeed(spec: ModelSpec, { seed }: VideoRequest): Problem | undefined {
  if (seed === undefined) return undefined;
  if (spec.seed !== true) {
    return { field: "seed", message: `${spec.name} takes no seed, so leave it out`, allowed: [] };
  }
  if (Number.isInteger(seed) && seed >= 1 && seed <= SEED_MAX) return undefined;
  const message = `A seed is a whole number from 1 to ${SEED_MAX}, not ${seed}`;
  return { field: "seed", message, allowed: [{ min: 1, max: SEED_MAX }] };
}

function checkAudio({ audio: makes = "never", name }: ModelSpec, { audio }: VideoRequest) {
  if (audio === undefined || makes === "on_request" || audio === (makes === "always")) {
    return undefined;
  }
  const message = audio ? `${name} makes no sound` : `${name} always makes sound`;
  return { field: "audio", message, allowed: [!audio] } satisfies Problem;
}

function checkFirstFrame(spec: ModelSpec, { firstFrame }: VideoRequest): Problem | undefined {
  if (firstFrame === undefined) {
    if (spec.modes.includes("text")) return undefined;
    const message = `${spec.name} starts from a picture, so a first frame is needed`;
    return { field: "firstFrame", message, allowed: ["https URL of a picture"] };
  }
  if (spec.modes.includes("image")) return undefined;
  return { field: "firstFrame", message: `${spec.name} takes no first frame`, allowed: [] };
}

function checkLastFrame(spec: ModelSpec, request: VideoRequest): Problem | undefined {
  if (request.lastFrame === undefined) return undefined;
  if (!spec.frames.last) {
    return { field: "lastFrame", message: `${spec.name} takes no last frame`, allowed: [] };
  }
  if (request.firstFrame !== undefined) return undefined;
  const message = "A last frame needs a first frame beside it";
  return { field: "lastFrame", message, allowed: [] };
}
