/** The hook for a moderation service of your own. */
import { z } from "zod";
import { HttpError } from "../http/http_error.ts";
import { readCapped } from "../http/read_capped.ts";
import type { Moderator } from "./moderator.ts";

/** The app waits for it, so it is not to take long. Milliseconds. */
const TIMEOUT_MS = 5_000;

const answer = z.object({ allowed: z.boolean(), field: z.string().optional() });

/** Where the service is, and what it knows us by. */
export interface ModerationService {
  readonly url: string;
  /** Sent as a bearer token. */
  readonly key?: string;
}

/**
 * POSTs `{kind, words: {field: text}, negative_prompt?, frames?: {field: link}}` and takes
 * `{allowed, field?}`. No answer, or one that cannot be read, is a 503: what nobody has judged is not
 * made.
 */
export function moderationService({ url, key }: ModerationService): Moderator {
  return {
    async judge({ kind, words, negativePrompt: negative_prompt, frames }) {
      try {
        const response = await fetch(url, {
          method: "POST",
          headers: {
            "content-type": "application/json",
            ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
          },
          body: JSON.stringify({ kind, words, negative_prompt, frames }),
          signal: AbortSignal.timeout(TIMEOUT_MS),
          redirect: "error",
        });
        const { allowed, field = "prompt" } = answer.parse(
          JSON.parse(await readCapped(response)),
        );
        return allowed ? null : { field };
      } catch (cause) {
        throw new HttpError(503, "unavailable", "We are very busy. Please try again in a moment", {
          cause,
          headers: { "retry-after": "5" },
        });
      }
    },
  };
}
