/** One guard of the product taken out, to see that the tests miss it. */
export interface Mutation {
  /** What the product does without the guard, as a sentence without a full stop. Unique. */
  readonly name: string;
  /** The file with the guard, from the root of the repository. */
  readonly file: string;
  /** The guard as it stands there: occurs exactly once. */
  readonly find: string;
  /** What stands there without it. */
  readonly replace: string;
  /** What it would cost somebody. */
  readonly why: string;
  /** Test files that are to notice, from the root, the quickest first. */
  readonly tests: readonly string[];
  /** Suites under fire that are to notice as well, without being told what to look for; the quickest first. */
  readonly underFire?: readonly Suite[];
}

/** A test file, and what it is told by the environment. */
export interface Suite {
  readonly file: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Random stories: as many as take a minute or two, and the first bad one as it is. */
export const STORIES: Suite = {
  file: "tests/chaos/model_test.ts",
  env: { CHAOS_SEED: "gemreel", CHAOS_RUNS: "0.5", CHAOS_SHRINK: "no" },
};
/** The stories that are told in every run. */
export const KNOWN_STORIES: Suite = { file: "tests/chaos/counterexamples_test.ts" };
const deathsIn = (scenario: string): Suite => ({
  file: "tests/chaos/crash_test.ts",
  env: { CHAOS_SEED: "gemreel", CHAOS_CRASH_AT: scenario },
});
/** Workers killed at every moment of submitting, at Runware. */
export const DEATHS: Suite = deathsIn("refusals");
/** The same at a provider that makes up its own ids. */
export const DEATHS_ELSEWHERE: Suite = deathsIn("runway");

/** Why the mutation can't be made in this text of its file, or null when it can. */
export function misfit({ find, replace }: Mutation, text: string): string | null {
  const times = text.split(find).length - 1;
  if (find === replace) return "changes nothing";
  return times === 1 ? null : `"${find}" occurs ${times} times, not once`;
}

/** The file's text without the guard. Throws when the guard is not there exactly once. */
export function mutated(mutation: Mutation, text: string): string {
  const problem = misfit(mutation, text);
  if (problem !== null) {
    throw new Error(`Mutation "${mutation.name}" does not fit "${mutation.file}": it ${problem}`);
  }
  // A function, because in a replacement string "$" has a meaning of its own.
  return text.replace(mutation.find, () => mutation.replace);
}
