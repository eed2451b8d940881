/** From a rhyme, a child and the caller's wishes to what a model is asked; or to why it cannot be. */
import type { OptionProblem } from "./model_limits.ts";
import { findModel, type ModelSpec, type VideoRequest } from "./models.ts";
import { requestFor, type Rhyme, type RhymeOptions, type Star } from "./rhyme_offer.ts";
import { limitProblems, priceProblems, unknownRhymeModel } from "./rhyme_problems.ts";

/** What to ask of which model, or the problems that forbid it. */
export type RhymePlan =
  | { readonly spec: ModelSpec; readonly request: VideoRequest }
  | { readonly problems: readonly OptionProblem[] };

/**
 * Plans one video. The rhyme's price pays for what the rhyme itself would cost us: a wish that is
 * dearer (or whose cost nobody knows) is a problem too.
 */
export function planRhymeVideo(
  rhyme: Rhyme,
  options: RhymeOptions,
  star: Star,
  models: readonly ModelSpec[],
): RhymePlan {
  const offer = { rhyme, star, models };
  const name = options.model ?? rhyme.model;
  const spec = findModel(models, name);
  if (spec === undefined) return { problems: [unknownRhymeModel(name, options, offer)] };

  const request = requestFor(spec, rhyme, options, star);
  const problems = limitProblems(spec, request, options, offer);
  if (problems.length > 0) return { problems };
  const wishes = Object.values(options).some((wish) => wish !== undefined);
  const unpaid = wishes ? priceProblems(spec, options, offer) : [];
  return unpaid.length > 0 ? { problems: unpaid } : { spec, request };
}
