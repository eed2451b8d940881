/** Why a rhyme cannot be made as wished: each wish that is to blame, with what is sold instead. */
import { oneOf } from "../one_of.ts";
import {
  checkRequest,
  durationsFor,
  inWordsOf,
  type OptionProblem,
  type Problem,
  sizesFor,
  written,
} from "./model_limits.ts";
import {
  type Durations,
  findModel,
  type ModelSpec,
  type Size,
  type VideoRequest,
} from "./models.ts";
import { type Offer, refusalOf, requestFor, type RhymeOptions, type Star } from "./rhyme_offer.ts";

/** The request's own names for the fields that models speak of. */
const fieldNames: Readonly<Record<string, string>> = {
  durationSeconds: "duration",
  firstFrame: "avatar_url",
};

/** The wishes that a rhyme's own length and size stand in for. */
const sides = ["duration", "width", "height"] as const;

/** What the model cannot do; a length or a size is told with those that the rhyme's price covers. */
export function limitProblems(
  spec: ModelSpec,
  request: VideoRequest,
  options: RhymeOptions,
  offer: Offer,
): OptionProblem[] {
  const limits = checkRequest(spec, request);
  const isWrong = (field: Problem["field"]) => limits.some((problem) => problem.field === field);
  const fromPicture = sizeOfThePicture(spec, options, offer.star);
  const problems = limits.flatMap((problem) => {
    if (problem.field === "durationSeconds") {
      return [lengthProblem(spec, isWrong("size") ? unsized(options) : options, offer, request)];
    }
    if (problem.field !== "size") return inWordsOf(fieldNames, [problem]);
    if (fromPicture.length > 0) return [];
    return sizeProblems(
      spec,
      isWrong("durationSeconds") ? untimed(options) : options,
      offer,
      request,
    );
  });
  // Nobody can leave out what they did not send: then it is the model that does not suit the rhyme.
  const isUnsent = ({ field, allowed }: OptionProblem) =>
    allowed?.length === 0 && sides.some((side) => side === field && options[side] === undefined);
  if (problems.some(isUnsent)) return [modelProblem(spec, "unsold", options, offer)];
  return [...fromPicture, ...problems];
}

/** A size that is wished for and that the child's picture would decide instead. */
function sizeOfThePicture(
  { name, frames, tiers }: ModelSpec,
  { width, height }: RhymeOptions,
  { avatarUrl }: Star,
): OptionProblem[] {
  if (avatarUrl === undefined || (frames.size === "as_asked" && tiers.length > 0)) return [];
  const message = `${name} takes its size from the child's picture, so leave it out`;
  return Object.entries({ width, height }).filter(([, side]) => side !== undefined)
    .map(([field]) => ({ field, message, allowed: [] }));
}

/** No model of the provider that makes rhymes is called so. */
export function unknownRhymeModel(
  name: string,
  options: RhymeOptions,
  offer: Offer,
): OptionProblem {
  return {
    field: "model",
    message: `"${name}" is not a model of this provider`,
    allowed: modelsCovered(options, offer),
  };
}

/** What the rhyme's price does not cover, by the wish that is to blame. */
export function priceProblems(
  spec: ModelSpec,
  options: RhymeOptions,
  offer: Offer,
): OptionProblem[] {
  const refused = refusalOf(spec, options, offer);
  if (refused === undefined) return [];
  if (spec.id !== findModel(offer.models, offer.rhyme.model)?.id) {
    return [modelProblem(spec, refused, options, offer)];
  }
  const isSized = options.width !== undefined;
  const isTimed = options.duration !== undefined;
  const sizeAlone = isSized && refusalOf(spec, untimed(options), offer) !== undefined;
  const lengthAlone = isTimed && refusalOf(spec, unsized(options), offer) !== undefined;
  // Where each would do alone, it is the two together.
  const together = !sizeAlone && !lengthAlone;
  const request = requestFor(spec, offer.rhyme, options, offer.star);
  return [
    ...(isTimed && (lengthAlone || together)
      ? [lengthProblem(spec, sizeAlone ? unsized(options) : options, offer, request)]
      : []),
    ...(isSized && (sizeAlone || together)
      ? sizeProblems(spec, lengthAlone ? untimed(options) : options, offer, request)
      : []),
  ];
}

/** This model is not to be had for the rhyme's price: which are. */
function modelProblem(
  { name }: ModelSpec,
  why: "dearer" | "unsold",
  options: RhymeOptions,
  offer: Offer,
): OptionProblem {
  const message = why === "dearer"
    ? `${name} costs more than the rhyme's price covers`
    : `${name} is not sold for this rhyme at this length and size`;
  return { field: "model", message, allowed: modelsCovered(options, offer) };
}

const unsized = ({ width: _width, height: _height, ...options }: RhymeOptions): RhymeOptions =>
  options;
const untimed = ({ duration: _duration, ...options }: RhymeOptions): RhymeOptions => options;

/** The length that was asked for is not to be had beside these wishes: which are. */
function lengthProblem(
  spec: ModelSpec,
  options: RhymeOptions,
  offer: Offer,
  { durationSeconds }: VideoRequest,
): OptionProblem {
  const { name } = spec;
  const { durations } = durationsFor(spec, requestFor(spec, offer.rhyme, options, offer.star));
  const covered = lengthsOf(durations).filter((duration) =>
    refusalOf(spec, { ...options, duration }, offer) === undefined
  );
  const [min, max] = [covered.at(0), covered.at(-1)];
  const none = min === undefined || max === undefined;
  const said = "list" in durations ? oneOf(covered) : `${min} to ${max}`;
  return {
    field: "duration",
    message: none
      ? `${name} is not sold for this rhyme with ${durationSeconds} seconds, so leave it out`
      : `${name} is sold for this rhyme with ${said} seconds, not ${durationSeconds}`,
    allowed: none || "list" in durations ? covered : [{ ...durations, min, max }],
  };
}

/** The size that was asked for is not to be had: which are. Width and height go by their places. */
function sizeProblems(
  spec: ModelSpec,
  options: RhymeOptions,
  offer: Offer,
  { width, height }: VideoRequest,
): OptionProblem[] {
  const start = requestFor(spec, offer.rhyme, options, offer.star);
  const sizes = sizesFor(spec, start).filter((size) =>
    refusalOf(spec, { ...options, ...size }, offer) === undefined
  );
  const widths = (some: readonly Size[]) => some.map((size) => size.width);
  const heights = (some: readonly Size[]) => some.map((size) => size.height);
  const beside = sizes.filter((size) => size.width === width || size.height === height);
  if (height === undefined && beside.length > 0) {
    const message = "goes together with width, and is missing";
    return [{ field: "height", message, allowed: heights(beside) }];
  }
  if (width === undefined && beside.length > 0) {
    const message = "goes together with height, and is missing";
    return [{ field: "width", message, allowed: widths(beside) }];
  }
  const asked = width !== undefined && height !== undefined
    ? written({ width, height })
    : `${width ?? height} pixels`;
  const message = sizes.length === 0
    ? `${spec.name} is not sold for this rhyme at "${asked}", so leave it out`
    : `${spec.name} is sold for this rhyme at ${oneOf(sizes.map(written))}, not at "${asked}"`;
  return [
    { field: "width", message, allowed: widths(sizes) },
    { field: "height", message: "goes together with width", allowed: heights(sizes) },
  ];
}

/** Each length of a list, or of a range. */
function lengthsOf(durations: Durations): readonly number[] {
  if ("list" in durations) return durations.list;
  const { min, max, step } = durations;
  const steps = Math.round((max - min) / step);
  return Array.from({ length: steps + 1 }, (_, index) => Number((min + index * step).toFixed(3)));
}

/** The models that can make this for the rhyme's price. */
function modelsCovered(options: RhymeOptions, offer: Offer): string[] {
  const { rhyme, star, models } = offer;
  const able = models.filter((spec) =>
    sizeOfThePicture(spec, options, star).length === 0 &&
    checkRequest(spec, requestFor(spec, rhyme, options, star)).length === 0 &&
    refusalOf(spec, options, offer) === undefined
  );
  return able.map(({ id }) => id);
}
