/** Judging words before anything is charged: children watch what is made of them. */
import { HttpError } from "../http/http_error.ts";

/** What a caller wrote, by field. */
export type Words = Readonly<Record<string, string | undefined>>;

/** A judgement: the field that can not be made for children, or null. */
export type Verdict = { readonly field: string } | null;

/** Judges words. Throws when it can not tell; then nothing is queued. */
export interface Moderator {
  judge(words: Words): Promise<Verdict>;
}

/** 422 `content_refused` where the words are refused. Costs nothing, and says so kindly. */
export async function assertAllowed(moderator: Moderator, words: Words): Promise<void> {
  const verdict = await moderator.judge(words);
  if (verdict === null) return;
  throw new HttpError(
    422,
    "content_refused",
    "We make videos that small children can watch, and this one would not be. Nothing was charged. " +
      "Please try other words.",
    { details: [{ field: verdict.field, message: "is not for small children" }] },
  );
}

/** The judges one after the other; the first refusal counts. */
export function inTurn(...moderators: readonly Moderator[]): Moderator {
  return {
    async judge(words) {
      for (const moderator of moderators) {
        const verdict = await moderator.judge(words);
        if (verdict !== null) return verdict;
      }
      return null;
    },
  };
}
