/** A video in the caller's own words: judged before a model is chosen for it. */
import type { Maker } from "../domain/market.ts";
import type { AdminClient } from "../http/admin_client.ts";
import { assertAllowed, type Moderator } from "../moderation/moderator.ts";
import type { DraftRequest } from "./draft_request.ts";
import { modelDraft } from "./model_draft.ts";
import type { WordsRequest } from "./request_kinds.ts";

/** 422 where the words are not for small children, or nobody can make it; nothing is charged. */
export async function wordsDraft(
  body: WordsRequest,
  admin: AdminClient,
  { moderator, makers }: {
    readonly moderator: () => Promise<Moderator>;
    readonly makers: () => Promise<readonly Maker[]>;
  },
): Promise<DraftRequest> {
  const { kind, title, prompt, style, negative_prompt: negativePrompt } = body;
  await assertAllowed(await moderator(), {
    kind,
    words: { title, prompt, style },
    negativePrompt,
    frames: framesOf(body),
  });
  return await modelDraft(body, admin, { makers: await makers() });
}

function framesOf(body: WordsRequest): Record<string, string | undefined> {
  if (!("first_frame" in body)) return {};
  const { first_frame, last_frame } = body;
  return { first_frame, last_frame };
}
