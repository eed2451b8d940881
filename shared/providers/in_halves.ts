/** Finding the one bad entry that spoils a call for all. */

/**
 * Asks about all, and where one entry spoils the answer for all, about each half, and so on. All halves come
 * before any quarter, so that most are through however soon `ask` runs out of time. `ask` answers
 * "spoiled" where a smaller call may be answered otherwise; of a single entry it has to take the answer.
 * Their answers come in the order of the entries.
 */
export async function inHalves<T, R>(
  all: readonly T[],
  ask: (some: readonly T[]) => Promise<readonly R[] | "spoiled">,
): Promise<R[]> {
  const answers: { readonly at: number; readonly of: readonly R[] }[] = [];
  let parts = [{ at: 0, some: all }];
  while (parts.length > 0) {
    const smaller: typeof parts = [];
    for (const { at, some } of parts) {
      const answered = await ask(some);
      if (answered !== "spoiled") {
        answers.push({ at, of: answered });
        continue;
      }
      const middle = Math.ceil(some.length / 2);
      smaller.push({ at, some: some.slice(0, middle) });
      smaller.push({ at: at + middle, some: some.slice(middle) });
    }
    parts = smaller;
  }
  return answers.sort((one, other) => one.at - other.at).flatMap(({ of }) => of);
}
