/** Why no model can make what is asked, told of all of them together. */
import { eitherOf, oneOf } from "../one_of.ts";
import type { Allowed, OptionProblem, Range } from "./model_limits.ts";
import { allows } from "./models.ts";
import type { Wish } from "./prompt_video.ts";

/** A model that cannot make what is asked. */
export interface UnfitModel {
  readonly problems: readonly OptionProblem[];
}

/** The wish behind each field. */
const wishOf: Readonly<Record<string, keyof Wish>> = {
  prompt: "prompt",
  negative_prompt: "negativePrompt",
  duration: "duration",
  aspect_ratio: "aspectRatio",
  resolution: "resolution",
  fps: "fps",
  seed: "seed",
  audio: "audio",
  first_frame: "firstFrame",
  last_frame: "lastFrame",
};

/** Whether each of these problems is one of what was asked for, and not of what was left out. */
export function wasAskedFor(problems: readonly OptionProblem[], wish: Wish): boolean {
  return problems.every(({ field }) => wish[wishOf[field] ?? "prompt"] !== undefined);
}

/**
 * The problems of one model with only those values that `sells` of it; undefined where none of them
 * helps.
 */
export function withSoldValues<M extends UnfitModel>(
  model: M,
  wish: Wish,
  sells: (wish: Wish) => boolean,
): M | undefined {
  // Each field is looked at as if the others were right.
  const right = model.problems.reduce((rest, { field }) => without(rest, field), wish);
  const problems = model.problems.map(({ allowed = [], ...problem }) => {
    const isSold = (value: Allowed[number]) => sells(withValue(right, problem.field, value));
    return { ...problem, allowed: allowed.length > 0 ? allowed.filter(isSold) : allowed };
  });
  const isLost = problems.some(({ allowed }, at) =>
    allowed.length === 0 && ((model.problems[at]?.allowed ?? []).length > 0 || !sells(right))
  );
  return isLost ? undefined : { ...model, problems };
}

function without(wish: Wish, field: string): Wish {
  const key = wishOf[field];
  // Any short prompt is taken.
  return key === undefined ? wish : { ...wish, [key]: key === "prompt" ? "A video" : undefined };
}

function withValue(wish: Wish, field: string, value: Allowed[number]): Wish {
  const key = wishOf[field];
  const isOfText = key === "prompt" || key === "negativePrompt";
  if (key === undefined || isOfText) return wish;
  return { ...wish, [key]: typeof value === "object" ? value.min : value };
}

/**
 * What is wrong where the choice is ours: the fields of the models that come nearest, each with what any
 * of these would take. `who` is whose models these are: "No model", "No model of runway".
 */
export function mergedProblems(
  able: readonly UnfitModel[],
  all: readonly UnfitModel[],
  wish: Wish,
  who: string,
): readonly OptionProblem[] {
  const fewest = Math.min(...able.map(({ problems }) => problems.length));
  const nearest = able.find(({ problems }) => problems.length === fewest)?.problems ?? [];
  const alike = able.filter(({ problems }) => fieldsOf(problems) === fieldsOf(nearest));
  return nearest.map(({ field }) => {
    const allowed = union(
      alike.flatMap(({ problems }) => problemOf(field, problems)?.allowed ?? []),
    );
    const isEverybodys = all.every(({ problems }) => problemOf(field, problems) !== undefined);
    const where = isEverybodys ? "" : " with the rest of this";
    return {
      field,
      message: `${who} that is sold ${doesWhat(field, wish)}${where}${hintOf(field, allowed)}`,
      allowed,
    };
  });
}

/** What would do, where a sentence reads on with it. */
function hintOf(field: string, allowed: Allowed): string {
  if (allowed.length === 0) return ", so leave it out";
  if (["audio", "first_frame", "last_frame"].includes(field)) return "";
  const choices = allowed.map((value) => typeof value === "object" ? said(value) : oneOf([value]));
  return `: take ${eitherOf(choices)}`;
}

function said({ min, max, step = 1 }: Range): string {
  return step === 1 ? `${min} to ${max}` : `${min} to ${max} in steps of ${step}`;
}

function problemOf(field: string, problems: readonly OptionProblem[]): OptionProblem | undefined {
  return problems.find((problem) => problem.field === field);
}

function fieldsOf(problems: readonly OptionProblem[]): string {
  return problems.map(({ field }) => field).sort().join();
}

function doesWhat(field: string, wish: Wish): string {
  switch (field) {
    case "prompt":
      return `takes a prompt of ${wish.prompt.length} characters`;
    case "negative_prompt":
      return "takes this negative prompt";
    case "duration":
      return `makes ${wish.duration} seconds`;
    case "aspect_ratio":
      return `makes "${wish.aspectRatio}"`;
    case "resolution":
      return `makes "${wish.resolution}"`;
    case "fps":
      return `makes ${wish.fps} frames per second`;
    case "audio":
      return wish.audio === true ? "makes sound" : "can be silent";
    case "first_frame":
      return wish.firstFrame === undefined ? "starts without a picture" : "takes a first frame";
    case "last_frame":
      return "takes a last frame";
    default:
      return `takes this ${field}`;
  }
}

/** Each value once: texts, numbers in order, ranges. A number within a range goes without saying. */
function union(values: Allowed): Allowed {
  const unique = [...new Set(values)];
  const ranges = joined(unique.filter((value) => typeof value === "object"));
  const numbers = unique.filter((value) => typeof value === "number")
    .filter((value) => !ranges.some((range) => allows({ step: 1, ...range }, value)))
    .sort((a, b) => a - b);
  const others = unique.filter((value) => typeof value === "string" || typeof value === "boolean");
  return [...others, ...numbers, ...ranges];
}

/** These ranges, those of the same steps that touch made one. */
function joined(ranges: readonly Range[]): Range[] {
  const kept: Range[] = [];
  for (const range of ranges.toSorted((a, b) => a.min - b.min)) {
    const { step = 1, min } = range;
    const at = kept.findIndex((one) =>
      one.step === range.step &&
      allows({ min: one.min, max: one.max + step, step }, min)
    );
    const before = kept[at];
    if (before === undefined) kept.push(range);
    else kept[at] = { ...before, max: Math.max(before.max, range.max) };
  }
  return kept;
}
