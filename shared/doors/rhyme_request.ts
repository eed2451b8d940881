/** A rhyme from the catalogue, with the caller's wishes: what the database is asked for. */
import { z } from "zod";
import type { ModelSpec } from "../domain/models.ts";
import { planRhymeVideo, type Rhyme, type RhymeOptions } from "../domain/rhyme_video.ts";
import type { AdminClient, UserVisit } from "../http/door.ts";
import { fromRpcError, invalidFields } from "../http/http_error.ts";
import { avatarPath } from "./avatar_url.ts";
import type { VideoRequest } from "./model_request.ts";
import type { RhymeRequest } from "./queue_request.ts";

/** Seconds a video usually takes, where its model has not been measured yet. */
const EXPECTED_SECONDS = 90;

/** Checks the wishes against what the rhyme's model can do. 422 when it can not; nothing is charged. */
export async function rhymeRequest(
  body: RhymeRequest,
  { admin: client, userId }: UserVisit,
  { modelsOf, projectUrl }: {
    readonly modelsOf: (provider: string) => readonly ModelSpec[];
    readonly projectUrl: string;
  },
): Promise<VideoRequest> {
  const admin = client();
  const {
    child_id,
    rhyme_id,
    avatar_url,
    model,
    duration,
    width,
    height,
    fps,
    seed,
  } = body;
  const avatar_path = avatar_url === undefined
    ? undefined
    : avatarPath(avatar_url, projectUrl, { userId, childId: child_id });
  const wishes = { model, duration, width, height, fps, seed };
  const wished = Object.values(wishes).some((wish) => wish !== undefined);
  let fallbacks: Maker[] | undefined;
  if (wished || avatar_path !== undefined) {
    const rhyme = await rhymeOf(admin, rhyme_id);
    // An unknown rhyme is queue_video's to refuse, with the same words as always.
    if (rhyme !== null) {
      const avatarUrl = avatar_path ?? await ownAvatar(admin, child_id);
      const star = { childName: "a child", avatarUrl };
      const plan = planRhymeVideo(
        rhyme,
        wishes,
        star,
        modelsOf(rhyme.provider),
      );
      if ("problems" in plan) throw invalidFields(422, plan.problems);
      if (wished) fallbacks = rhyme.fallbacks.filter(canMake(rhyme, wishes, star, modelsOf));
    }
  }
  return {
    expectedSeconds: EXPECTED_SECONDS,
    request: {
      kind: "rhyme",
      ...{ child_id, rhyme_id, avatar_path, model },
      ...(fallbacks === undefined ? {} : { fallbacks }),
      options: { duration, width, height, fps, seed },
    },
  };
}

/** Tells those who can step in from those who could not meet every wish. */
function canMake(
  rhyme: Rhyme,
  wishes: RhymeOptions,
  star: Parameters<typeof planRhymeVideo>[2],
  modelsOf: (provider: string) => readonly ModelSpec[],
): (maker: Maker) => boolean {
  return ({ provider, model }) => {
    const asked = { ...wishes, model: undefined };
    return "spec" in planRhymeVideo({ ...rhyme, model }, asked, star, modelsOf(provider));
  };
}

/** The child's own picture, which the video starts with where no other is named. */
async function ownAvatar(
  admin: AdminClient,
  childId: string,
): Promise<string | undefined> {
  const { data, error } = await admin.from("children").select("avatar_path").eq(
    "id",
    childId,
  )
    .maybeSingle();
  if (error) throw fromRpcError(error);
  return data?.avatar_path ?? undefined;
}

/** How long a rhyme's model and size are remembered for the check, in milliseconds. Never its price. */
const REMEMBER_MS = 60_000;
const remembered = new Map<
  string,
  { until: number; rhyme: Promise<CheckedRhyme | null> }
>();

const makers = z.array(z.object({ provider: z.string(), model: z.string() }));
type Maker = z.infer<typeof makers>[number];

interface CheckedRhyme extends Rhyme {
  readonly provider: string;
  /** Who steps in, in order. */
  readonly fallbacks: readonly Maker[];
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
    fallbacks: makers.parse(data.fallbacks),
    durationSeconds: Number(data.duration_seconds),
    width: data.width,
    height: data.height,
  };
}
