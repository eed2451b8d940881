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
}

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
