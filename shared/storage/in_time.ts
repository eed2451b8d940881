/** Keeping work within its time, and stopping what it leaves behind. */

/**
 * Does `work` under a signal that aborts when the time is up, and also when the work is over: what
 * it began and did not need to the end, a download say, stops then.
 */
export async function inTime<T>(
  milliseconds: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  try {
    return await work(AbortSignal.any([over.signal, AbortSignal.timeout(milliseconds)]));
  } finally {
    over.abort();
  }
}

/** What the promise brings, for work that takes no signal. Rejects as soon as the signal aborts. */
export async function unlessAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort);
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
