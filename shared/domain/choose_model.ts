/** Which model makes a video: the one that was named, or the cheapest that can do what is asked. */
import type { OptionProblem } from "./model_limits.ts";
import { findModel, type ModelSpec } from "./models.ts";
import { type Plan, planPromptVideo, type Wish } from "./prompt_video.ts";

/** A provider that is switched on, and what it can make. */
export interface Maker {
  readonly name: string;
  readonly models: readonly ModelSpec[];
}

/** A row of the price list. */
export interface PriceRow {
  readonly provider: string;
  readonly model: string;
  /** Empty where the model has only one. */
  readonly resolution: string;
  readonly gemsPerSecond: number;
  /** Null: not sold with sound. */
  readonly gemsPerSecondWithSound: number | null;
  /** False while the provider takes no work. */
  readonly available: boolean;
}

/** What there is to choose from, and what it costs. */
export interface Market {
  readonly makers: readonly Maker[];
  readonly prices: readonly PriceRow[];
}

/** A provider and a model as a caller names them; absent or "auto": ours to choose. */
export interface Named {
  readonly provider?: string | undefined;
  readonly model?: string | undefined;
}

/** A model with the plan it would carry out. */
export interface Candidate {
  readonly provider: string;
  readonly spec: ModelSpec;
  readonly plan: Plan;
  /** An estimate; what is charged is read anew in the database. */
  readonly gems: number;
  readonly available: boolean;
}

/** Who makes it, why, and who makes it where that one cannot. */
export interface Choice {
  readonly chosen: Candidate;
  /** One sentence; absent where the caller named both. */
  readonly reason?: string;
  readonly fallbacks: readonly Candidate[];
}

/** Others that are kept ready where the choice is ours. */
const FALLBACKS = 2;

const isOurs = (name: string | undefined) => name === undefined || name === "auto";

/** Chooses, or tells why nobody can make it. Fields are named as the request names them. */
export function chooseModel(
  wish: Wish,
  named: Named & { readonly fallbacks?: readonly Named[] | undefined },
  market: Market,
): Choice | { readonly problems: readonly OptionProblem[] } {
  const found = candidatesFor(wish, named, market);
  if ("problems" in found) return found;
  const [chosen] = found.candidates;
  if (chosen === undefined) return { problems: [notForSale(named)] };

  const open = isOurs(named.provider) || isOurs(named.model);
  const reason = open ? { reason: reasonFor(found.candidates) } : {};
  // Whoever steps in makes what was charged for: the same length and shape, and its quality where there is one.
  const { request: { durationSeconds: duration }, aspectRatio, resolution } = chosen.plan;
  const settled = { ...wish, duration, usual: { aspectRatio, resolution } };
  if (named.fallbacks === undefined) {
    const others = isOurs(named.provider) && isOurs(named.model)
      ? candidatesFor(settled, named, market)
      : { problems: [] };
    const fallbacks = "candidates" in others ? othersThan(chosen, others.candidates) : [];
    return { chosen, ...reason, fallbacks };
  }
  const others = namedFallbacks(chosen, named.fallbacks, settled, market);
  return "problems" in others ? others : { chosen, ...reason, fallbacks: others.fallbacks };
}

/** Of each that was named to step in, the model that does; or why one cannot. */
function namedFallbacks(
  chosen: Candidate,
  named: readonly Named[],
  settled: Wish,
  market: Market,
): { fallbacks: Candidate[] } | { problems: OptionProblem[] } {
  const fallbacks: Candidate[] = [];
  for (const [index, fallback] of named.entries()) {
    const options = candidatesFor(settled, fallback, market);
    const found = "candidates" in options ? options.candidates : [];
    const able = found.filter((one) => ![chosen, ...fallbacks].some((taken) => isSame(one, taken)));
    // It steps in at no extra gems. Otherwise naming a cheap model first would buy an expensive one.
    const paidFor = able.find(({ gems }) => gems <= chosen.gems);
    if (paidFor !== undefined) {
      fallbacks.push(paidFor);
      continue;
    }
    // What is in the chain already can make it: nothing is wrong, and there is nothing to add.
    if (found.length > able.length) continue;
    const problems = "problems" in options
      ? options.problems
      : [able.length === 0 ? notForSale(fallback) : tooExpensive(chosen, settled, market)];
    return {
      problems: problems.map((problem) => ({
        ...problem,
        field: `fallbacks.${index}.${problem.field}`,
      })),
    };
  }
  return { fallbacks };
}

/** Everything that could make it, best first: who takes work now, then by price. */
function candidatesFor(
  wish: Wish,
  named: Named,
  { makers, prices }: Market,
): { candidates: Candidate[] } | { problems: readonly OptionProblem[] } {
  const wanted = isOurs(named.provider)
    ? makers
    : makers.filter(({ name }) => name === named.provider);
  if (wanted.length === 0) return { problems: [unknown("provider", named.provider, makers)] };
  const models = wanted.flatMap((maker) =>
    modelsNamed(maker, named).map((spec) => ({ provider: maker.name, spec }))
  );
  if (models.length === 0) return { problems: [unknownModel(named.model, wanted)] };

  const candidates: Candidate[] = [];
  let nearest: readonly OptionProblem[] | undefined;
  for (const { provider, spec } of models) {
    const plan = planPromptVideo(spec, wish);
    if ("problems" in plan) {
      if (nearest === undefined || plan.problems.length < nearest.length) nearest = plan.problems;
      continue;
    }
    const price = prices.find((row) =>
      row.provider === provider && row.model === spec.id && row.resolution === plan.resolution
    );
    if (price === undefined) continue;
    const { audio, durationSeconds } = plan.request;
    const gemsPerSecond = audio === true ? price.gemsPerSecondWithSound : price.gemsPerSecond;
    if (gemsPerSecond === null) {
      nearest ??= [notSoldWithSound(spec)];
      continue;
    }
    const gems = Math.max(1, Math.ceil(gemsPerSecond * durationSeconds));
    candidates.push({ provider, spec, plan, gems, available: price.available });
  }
  if (candidates.length === 0 && nearest !== undefined) return { problems: nearest };
  candidates.sort((a, b) => Number(b.available) - Number(a.available) || a.gems - b.gems);
  return { candidates };
}

function modelsNamed({ models }: Maker, { model }: Named): readonly ModelSpec[] {
  if (model === undefined || model === "auto") return models.filter((one) => one.retired !== true);
  const spec = findModel(models, model);
  return spec === undefined ? [] : [spec];
}

function isSame(one: Candidate, other: Candidate): boolean {
  return one.provider === other.provider && one.spec.id === other.spec.id;
}

function othersThan(chosen: Candidate, candidates: readonly Candidate[]): Candidate[] {
  const providers = new Set([chosen.provider]);
  const others = candidates.filter(({ provider }) => {
    if (providers.has(provider)) return false;
    providers.add(provider);
    return true;
  });
  return others.slice(0, FALLBACKS);
}

function reasonFor(candidates: readonly Candidate[]): string {
  const [chosen] = candidates;
  const name = chosen?.spec.name ?? "";
  const able = candidates.filter(({ available }) => available === chosen?.available);
  if (able.length === 1) return `${name} is the only model that can make this now.`;
  return `${name} is the cheapest of ${able.length} models that can make this now.`;
}

function unknown(
  field: string,
  name: string | undefined,
  makers: readonly Maker[],
): OptionProblem {
  return {
    field,
    message: `"${name}" is not a provider that is switched on here`,
    allowed: ["auto", ...makers.map((maker) => maker.name)],
  };
}

function unknownModel(name: string | undefined, makers: readonly Maker[]): OptionProblem {
  const models = makers.flatMap(({ models }) => models).filter((model) => model.retired !== true);
  return {
    field: "model",
    message: `"${name}" is not a model of ${makers.map((maker) => maker.name).join(" or ")}`,
    allowed: ["auto", ...models.map((model) => model.id)],
  };
}

function tooExpensive(chosen: Candidate, wish: Wish, market: Market): OptionProblem {
  const all = candidatesFor(wish, {}, market);
  const able = "candidates" in all ? all.candidates : [];
  return {
    field: "model",
    message: `costs more than the ${chosen.gems} gems that are charged`,
    allowed: able.filter(({ gems }) => gems <= chosen.gems).map(({ spec }) => spec.id),
  };
}

function notSoldWithSound({ name }: ModelSpec): OptionProblem {
  return { field: "audio", message: `${name} is not sold with sound`, allowed: ["false"] };
}

function notForSale({ model }: Named): OptionProblem {
  return {
    field: "model",
    message: isOurs(model) ? "No model that can make this has a price" : `"${model}" has no price`,
    allowed: ["auto"],
  };
}
