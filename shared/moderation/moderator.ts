/** Judging words before anything is charged: children watch what is made of them. */
import type { VideoKind } from "../domain/video_kinds.ts";
import { HttpError } from "../http/http_error.ts";

/** What a caller wrote, by field. */
export type Words = Readonly<Record<string, string | undefined>>;

/** What is to be made, as far as a judge may want to know. */
export interface Judged {
  readonly kind: VideoKind;
  readonly words: Words;
  /** What the model is told to leave out: words that are refused elsewhere are in their place here. */
  readonly negativePrompt?: string | undefined;
  /** Links of the pictures it starts or ends with, by field. */
  readonly frames?: Readonly<Record<string, string | undefined>>;
}

/** A judgement: the field that cannot be made for children, or null. */
export type Verdict = { readonly field: string } | null;

/** Judges what is asked for. Throws when it cannot tell; then nothing is queued. */
export interface Moderator {
  judge(judged: Judged): Promise<Verdict>;
}

/** 422 `content_refused` where it is refused. Costs nothing, and says so kindly. */
export async function assertAllowed(moderator: Moderator, judged: Judged): Promise<void> {
  const verdict = await moderator.judge(judged);
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
    async judge(judged) {
      for (const moderator of moderators) {
        const verdict = await moderator.judge(judged);
        if (verdict !== null) return verdict;
      }
      return null;
    },
  };
}
