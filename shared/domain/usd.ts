/** USD, to a hundredth of a cent, so that sums do not carry the noise of doubles. */
export function roundUsd(usd: number): number {
  return Math.round(usd * 10_000) / 10_000;
}
