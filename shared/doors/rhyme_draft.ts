/** A rhyme from the catalogue, with the caller's wishes: as it is asked for here, and of the database. */
import { z } from "zod";
import type { ModelSpec } from "../domain/models.ts";
import { USUAL_RENDER_SECONDS } from "../domain/render_seconds.ts";
import type { UserVisit } from "../http/door.ts";
import type { DraftRequest } from "./draft_request.ts";
import { duration, fps, id, modelName, seed, URL_MAX } from "./fields.ts";

const pixels = z.int().positive().max(8192);

/** A video from the catalogue. */
export const rhymeSchema = z.strictObject({
  kind: z.literal("rhyme").optional(),
  user_id: id.optional(),
  /** Answers the price and charges nothing. */
  quote: z.boolean().optional(),
  child_id: id,
  rhyme_id: id,
  avatar_url: z.string().max(URL_MAX).optional(),
  model: modelName.optional(),
  duration: duration.optional(),
  width: pixels.optional(),
  height: pixels.optional(),
  fps: fps.optional(),
  seed: seed.optional(),
});

/** A checked request for a video from the catalogue. */
export type RhymeRequest = z.infer<typeof rhymeSchema>;

/** Checks the wishes against what the rhyme's model can do. 422 when it cannot; nothing is charged. */
export async function rhymeDraft(
  body: RhymeRequest,
  { admin, userId }: UserVisit,
  { modelsOf, projectUrl }: {
    readonly modelsOf: (provider: string) => Promise<readonly ModelSpec[]>;
    readonly projectUrl: string;
  },
): Promise<DraftRequest> {
  const { child_id, rhyme_id, avatar_url, model, duration, width, height, fps, seed } = body;
  const avatar_path = avatar_url === undefined
    ? undefined
    : (await import("./avatar_url.ts")).avatarPath(avatar_url, projectUrl, {
      userId,
      childId: child_id,
    });
  const options = { duration, width, height, fps, seed };
  const wishes = { model, ...options };
  const isPlain = avatar_path === undefined &&
    Object.values(wishes).every((wish) => wish === undefined);
  // A rhyme as it stands needs no model's table, and is not to wait for one on a cold start.
  const fallbacks = isPlain ? undefined : await (await import("./rhyme_wishes.ts")).checkWishes(
    { userId, rhymeId: rhyme_id, childId: child_id, avatarPath: avatar_path, wishes },
    admin(),
    modelsOf,
  );
  return {
    expectedSeconds: USUAL_RENDER_SECONDS,
    request: {
      kind: "rhyme",
      child_id,
      rhyme_id,
      avatar_path,
      model,
      ...(fallbacks === undefined ? {} : { fallbacks }),
      options,
    },
  };
}
