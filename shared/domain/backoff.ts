/** Waiting with growing pauses. Pure. */

/** Pauses between looks, in milliseconds, and how many looks there are. */
export interface Backoff {
  readonly initialDelay: number;
  readonly maxDelay: number;
  readonly maxAttempts: number;
  readonly backoffMultiplier: number;
}

/** Milliseconds that all looks take together: the first pause comes before the first look. */
export function backoffTotal(
  { initialDelay, maxDelay, maxAttempts, backoffMultiplier }: Backoff,
): number {
  let total = 0;
  let pause = Math.min(initialDelay, maxDelay);
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    total += pause;
    pause = Math.min(pause * backoffMultiplier, maxDelay);
  }
  return total;
}
