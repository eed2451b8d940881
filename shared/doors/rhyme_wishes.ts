/** Whether a rhyme's model can do what a caller wishes for, and who could step in for it. */
import { z } from "zod";
import type { ModelSpec } from "../domain/models.ts";
import type { Rhyme, RhymeOptions } from "../domain/rhyme_offer.ts";
import { planRhymeVideo } from "../domain/rhyme_video.ts";
import type { AdminClient } from "../http/admin_client.ts";
import { fromRpcError, invalidFields } from "../http/http_error.ts";
import { remember } from "../remember.ts";

/** What is wished for, and of which rhyme. */
export interface RhymeWish {
  /** Who wishes: nothing is told about others' children. */
  readonly userId: string;
  readonly rhymeId: string;
  readonly childId: string;
  /** The picture that was named; without one the child's own counts. */
  readonly avatarPath: string | undefined;
  readonly wishes: RhymeOptions;
}

/**
 * 422 with each wish that the rhyme's model cannot meet. Answers who can step in and meet them all;
 * undefined where nothing was wished for, or there is no such rhyme.
 */
export async function checkWishes(
  { userId, rhymeId, childId, avatarPath, wishes }: RhymeWish,
  admin: AdminClient,
  modelsOf: (provider: string) => Promise<readonly ModelSpec[]>,
): Promise<Fallback[] | undefined> {
  const rhyme = await rhymeOf(admin, rhymeId);
  // An unknown rhyme is queue_videos' to refuse, with the same words as always.
  if (rhyme === null) return undefined;
  const avatarUrl = avatarPath ?? await ownAvatar(admin, { userId, childId });
  const star = { childName: "a child", avatarUrl };
  const plan = planRhymeVideo(rhyme, wishes, star, await modelsOf(rhyme.provider));
  if ("problems" in plan) throw invalidFields(422, plan.problems);
  if (Object.values(wishes).every((wish) => wish === undefined)) return undefined;
  const able: Fallback[] = [];
  for (const fallback of rhyme.fallbacks) {
    const asked = { ...wishes, model: undefined };
    const models = await modelsOf(fallback.provider);
    const planned = planRhymeVideo({ ...rhyme, model: fallback.model }, asked, star, models);
    if ("spec" in planned) able.push(fallback);
  }
  return able;
}

/** The child's own picture, which the video starts with where no other is named. */
async function ownAvatar(
  admin: AdminClient,
  { userId, childId }: Pick<RhymeWish, "userId" | "childId">,
): Promise<string | undefined> {
  const { data, error } = await admin.from("children").select("avatar_path")
    .eq("id", childId).eq("user_id", userId).maybeSingle();
  if (error) throw fromRpcError(error);
  return data?.avatar_path ?? undefined;
}

const fallbacks = z.array(z.object({ provider: z.string(), model: z.string() }));
type Fallback = z.infer<typeof fallbacks>[number];

interface CheckedRhyme extends Rhyme {
  readonly provider: string;
  /** Who steps in, in order. */
  readonly fallbacks: readonly Fallback[];
}

/**
 * Model and size for the check, never the price. Remembered for a minute, so that the usual request
 * (with an avatar) costs one call and not two.
 */
const remembered = remember<CheckedRhyme | null>(60_000);

function rhymeOf(admin: AdminClient, id: string): Promise<CheckedRhyme | null> {
  return remembered(id, () => readRhyme(admin, id));
}

async function readRhyme(
  admin: AdminClient,
  id: string,
): Promise<CheckedRhyme | null> {
  const { data, error } = await admin
    .from("rhymes")
    .select(
      "title, prompt_template, provider, model, fallbacks, duration_seconds, width, height",
    )
    .eq("id", id)
    .maybeSingle();
  if (error) throw fromRpcError(error);
  return data && {
    title: data.title,
    promptTemplate: data.prompt_template,
    provider: data.provider,
    model: data.model,
    fallbacks: fallbacks.parse(data.fallbacks),
    durationSeconds: Number(data.duration_seconds),
    width: data.width,
    height: data.height,
  };
}
