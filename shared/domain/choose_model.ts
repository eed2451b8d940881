/** Which model makes a video: the one that was named, or the cheapest that can do what is asked. */
import { mergedProblems, type UnfitModel, wasAskedFor, withSoldValues } from "./merged_problems.ts";
import { isOurs, type Maker, type Market, type Named, type PriceRow } from "./market.ts";
import {
  notForSale,
  notSoldAt,
  notSoldWithSound,
  unknownModel,
  unknownProvider,
} from "./market_problems.ts";
import type { OptionProblem } from "./model_limits.ts";
import { findModel, type ModelSpec } from "./models.ts";
import { type Plan, planPromptVideo, type Wish } from "./prompt_video.ts";

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

/** Chooses, or tells why nobody can make it. Fields are named as the request names them. */
export function chooseModel(
  wish: Wish,
  named: Named & { readonly fallbacks?: readonly Named[] | undefined },
  market: Market,
): Choice | { readonly problems: readonly OptionProblem[] } {
  const found = candidatesFor(wish, named, market);
  if ("problems" in found) return found;
  const [chosen] = found.candidates;

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
      : [tooExpensive(chosen, fallback, settled, market)];
    return {
      problems: problems.map((problem) => ({
        ...problem,
        field: `fallbacks.${index}.${problem.field}`,
      })),
    };
  }
  return { fallbacks };
}

/** Everything that could make it, at least one, best first: who takes work now, then by price. */
function candidatesFor(
  wish: Wish,
  named: Named,
  { makers, prices }: Market,
): { candidates: readonly [Candidate, ...Candidate[]] } | { problems: readonly OptionProblem[] } {
  const wanted = isOurs(named.provider)
    ? makers
    : makers.filter(({ name }) => name === named.provider);
  if (wanted.length === 0) return { problems: [unknownProvider(named.provider, makers)] };
  const models = wanted.flatMap((maker) =>
    modelsNamed(maker, named).map((spec) => ({ provider: maker.name, spec }))
  );
  if (models.length === 0) return { problems: [unknownModel(named.model, wanted)] };

  const offers = models.map((model) => ({ ...model, offer: offerOf(model, wish, prices) }));
  const candidates = offers.flatMap(({ offer }) =>
    offer !== "no price" && "gems" in offer ? offer : []
  );
  candidates.sort((a, b) => Number(b.available) - Number(a.available) || a.gems - b.gems);
  const [best, ...others] = candidates;
  if (best !== undefined) return { candidates: [best, ...others] };

  const unfit = offers.flatMap(({ provider, spec, offer }) =>
    offer !== "no price" && "problems" in offer ? { provider, spec, ...offer } : []
  );
  const isComplete = unfit.length === offers.length;
  return { problems: whyNobody(unfit, { isComplete }, wish, named, prices) };
}

interface ModelOf {
  readonly provider: string;
  readonly spec: ModelSpec;
}

/** What a model would make of it for how much, why it cannot, or that it has no price at all. */
function offerOf(
  { provider, spec }: ModelOf,
  wish: Wish,
  prices: readonly PriceRow[],
): Candidate | UnfitModel | "no price" {
  const plan = planPromptVideo(spec, wish);
  if ("problems" in plan) return plan;
  const rows = prices.filter((row) => row.provider === provider && row.model === spec.id);
  const price = rows.find(({ resolution }) => resolution === plan.resolution);
  if (price === undefined) {
    return rows.length > 0 && wish.resolution !== undefined
      ? { problems: [notSoldAt(spec, wish.resolution, rows)] }
      : "no price";
  }
  const { audio, durationSeconds } = plan.request;
  const gemsPerSecond = audio === true ? price.gemsPerSecondWithSound : price.gemsPerSecond;
  if (gemsPerSecond === null) return { problems: [notSoldWithSound(spec)] };
  const gems = Math.max(1, Math.ceil(gemsPerSecond * durationSeconds));
  return { provider, spec, plan, gems, available: price.available };
}

/** Why nobody can. `isComplete` where these are all there are, and none lacks its price alone. */
function whyNobody(
  unfit: readonly (UnfitModel & ModelOf)[],
  { isComplete }: { readonly isComplete: boolean },
  wish: Wish,
  named: Named,
  prices: readonly PriceRow[],
): readonly OptionProblem[] {
  const [only, ...more] = unfit;
  // Named, and no longer offered.
  if (only?.spec.retired === true && isComplete && more.length === 0) return only.problems;
  const sells = (model: ModelOf) => (changed: Wish) => {
    const offer = offerOf(model, changed, prices);
    return offer !== "no price" && "gems" in offer;
  };
  const sold = unfit.flatMap((model) => withSoldValues(model, wish, sells(model)) ?? []);
  const isAsked = ({ problems }: UnfitModel) => wasAskedFor(problems, wish);
  const asked = sold.filter(isAsked);
  // Where one lacks its price alone, that is why; unless another wish would do.
  const near = asked.length > 0 || !isComplete ? asked : sold;
  const [first, ...others] = near;
  if (first === undefined) return [notForSale(named)];
  if (isComplete && others.length === 0 && more.length === 0) return first.problems;
  const who = isOurs(named.provider) ? "No model" : `No model of ${named.provider}`;
  return mergedProblems(near, asked.length > 0 ? unfit.filter(isAsked) : unfit, wish, who);
}

function modelsNamed({ models }: Maker, { model }: Named): readonly ModelSpec[] {
  if (isOurs(model)) return models.filter((one) => one.retired !== true);
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

/** One that is named to step in, and that costs more than is charged: who does not. */
function tooExpensive(
  chosen: Candidate,
  { provider, model }: Named,
  wish: Wish,
  market: Market,
): OptionProblem {
  const paidFor = (named: Named) => {
    const found = candidatesFor(wish, named, market);
    return "candidates" in found ? found.candidates.filter(({ gems }) => gems <= chosen.gems) : [];
  };
  const price = chosen.gems === 1 ? "the 1 gem that is" : `the ${chosen.gems} gems that are`;
  const models = isOurs(model) ? [] : paidFor({ provider }).map(({ spec }) => spec.id);
  if (models.length > 0) {
    return { field: "model", message: `costs more than ${price} charged`, allowed: models };
  }
  return {
    field: "provider",
    message: `${provider} has nothing that makes this for ${price} charged`,
    allowed: ["auto", ...new Set(paidFor({}).map((one) => one.provider))],
  };
}
