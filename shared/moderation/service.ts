/** The hook for a moderation service of your own. */
import { z } from "zod";
import type { ModerationConfig } from "../config.ts";
import { unavailable } from "../http/http_error.ts";
import { readCapped } from "../http/read_capped.ts";
import type { Moderator } from "./moderator.ts";

/** The app waits for it, so it is not to take long. Milliseconds. */
const TIMEOUT_MS = 5_000;

const answer = z.object({ allowed: z.boolean(), field: z.string().optional() });

/**
 * POSTs `{kind, words: {field: text}, negative_prompt?, frames?: {field: link}}` and takes
 * `{allowed, field?}`. No answer, or one that cannot be read, is a 503: what nobody has judged is not
 * made.
 */
export function moderationService({ url, key }: ModerationConfig): Moderator {
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
        throw unavailable(cause);
      }
    },
  };
}
