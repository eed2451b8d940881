/** Remembering for a while what is read often and changes seldom. */

/** What was read under this key within the time, or else what `read` brings now. */
export type Remembered<T> = (key: string, read: () => Promise<T>) => Promise<T>;

/**
 * Remembers what is read, by key, for so many milliseconds. Who asks while it is being read waits for
 * the same answer. What fails is not remembered, nor is null: it may be there a moment later.
 */
export function remember<T>(milliseconds: number, now: () => number = Date.now): Remembered<T> {
  const known = new Map<string, { readonly until: number; readonly value: Promise<T> }>();
  return async (key, read) => {
    const old = known.get(key);
    if (old !== undefined && now() < old.until) return await old.value;
    const fresh = { until: now() + milliseconds, value: read() };
    known.set(key, fresh);
    const forget = () => {
      if (known.get(key) === fresh) known.delete(key);
    };
    try {
      const value = await fresh.value;
      if (value === null) forget();
      return value;
    } catch (error) {
      forget();
      throw error;
    }
  };
}
