/** How long the answers of others ask us to wait. */

/** What nine digits say; an integer of the database holds it, and nobody waits that long. */
const MOST_SECONDS = 999_999_999;

/** Seconds of a Retry-After header, which names a time or how long to wait. */
export function retryAfter(header: string | null, now = Date.now()): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header);
  const time = Date.parse(header);
  if (Number.isNaN(time)) return undefined;
  return Math.min(Math.max(0, Math.ceil((time - now) / 1_000)), MOST_SECONDS);
}
