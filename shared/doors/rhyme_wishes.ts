/** Whether a rhyme's model can do what a caller wishes for, and who could step in for it. */
import { z } from "zod";
import type { ModelSpec } from "../domain/models.ts";
import type { Rhyme, RhymeOptions } from "../domain/rhyme_offer.ts";
import { planRhymeVideo } from "../domain/rhyme_video.ts";
import type { AdminClient } from "../http/admin_client.ts";
import { fromRpcError, invalidFields } from "../http/http_error.ts";

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

/** How long a rhyme's model and size are remembered for the check, in milliseconds. Never its price. */
const REMEMBER_MS = 60_000;
const remembered = new Map<
  string,
  { until: number; rhyme: Promise<CheckedRhyme | null> }
>();

const fallbacks = z.array(z.object({ provider: z.string(), model: z.string() }));
type Fallback = z.infer<typeof fallbacks>[number];

interface CheckedRhyme extends Rhyme {
  readonly provider: string;
  /** Who steps in, in order. */
  readonly fallbacks: readonly Fallback[];
}

/** Remembered for a minute, so that the usual request (with an avatar) costs one call and not two. */
async function rhymeOf(
  admin: AdminClient,
  id: string,
): Promise<CheckedRhyme | null> {
  const known = remembered.get(id);
  if (known !== undefined && known.until > Date.now()) return await known.rhyme;
  const rhyme = readRhyme(admin, id);
  remembered.set(id, { until: Date.now() + REMEMBER_MS, rhyme });
  try {
    const found = await rhyme;
    if (found === null) remembered.delete(id);
    return found;
  } catch (error) {
    remembered.delete(id);
    throw error;
  }
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
