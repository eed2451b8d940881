/** What every provider's answer is read with, whatever its form. */
import { storable } from "../storable.ts";

/** The JSON of a body, fit for the database; undefined where it is none, or nested deeper than anybody sends. */
export function parseJson(text: string): unknown {
  try {
    return storable(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Seconds of a Retry-After header; its other form, a date, is used by no provider we know. */
export function secondsOf(header: string | null): number | undefined {
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) : undefined;
}
