/** Waiting for what happens by itself. */

/** Looks until there is something to see; an error when that takes too long. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined>,
  { minutes = 1 }: { minutes?: number } = {},
): Promise<T> {
  const deadline = Date.now() + minutes * 60_000;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (Date.now() > deadline) throw new Error(`Waited ${minutes} min in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
