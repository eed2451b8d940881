/** Fields of requests in the caller's own words. */
import { z } from "zod";
import { PROMPT_MIN } from "../domain/models.ts";
import { isStorableText } from "../storable.ts";

/**
 * People's own words, without space around them. What Postgres does not keep is refused here, for there
 * it would undo the call that others' orders share.
 */
export function words(least: number, most: number) {
  return z.string().trim().min(least).max(most)
    .refine(isStorableText, "must be whole characters, and no U+0000");
}

/** Longest prompt of any model; each model's own limit is checked when it is chosen. */
const PROMPT_MAX = 10_000;

/** What a video is to show, or not to show. */
export const promptWords = () => words(PROMPT_MIN, PROMPT_MAX);

/** "auto", or the name of one that is switched on here. Any other is refused with those that are. */
export const providerName = z.string().max(100);
