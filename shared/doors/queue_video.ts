/** Queueing a video: checks the request, then one call of the database does all of it or nothing. */
import { z } from "zod";
import { planRhymeVideo, type Rhyme } from "../domain/rhyme_video.ts";
import type { ModelSpec } from "../domain/models.ts";
import { parseFields, readJson } from "../http/body.ts";
import type { AdminClient, UserVisit } from "../http/door.ts";
import { fromRpcError, HttpError, invalidFields } from "../http/http_error.ts";
import {
  idempotencyKeySchema,
  type QueueRequest,
  queueRequestSchema,
  requestHash,
} from "./queue_request.ts";

/** Seconds a video usually takes, where its model has not been measured yet. */
const EXPECTED_SECONDS = 90;

const queued = z.object({
  video_id: z.uuid(),
  estimated_completion: z.string(),
  gem_cost: z.number(),
  title: z.string(),
  replayed: z.boolean(),
});

/** What this deployment allows. */
export interface QueueVideoConfig {
  readonly avatarHosts: readonly string[];
  readonly modelsOf: (provider: string) => readonly ModelSpec[];
}

/** POST queue-video. 201 for a new video and for each repetition of the same request. */
export async function queueVideo(
  request: Request,
  visit: UserVisit,
  config: QueueVideoConfig,
): Promise<Response> {
  const key = request.headers.get("idempotency-key");
  if (key !== null) {
    parseFields({ "Idempotency-Key": key }, z.object({ "Idempotency-Key": idempotencyKeySchema }));
  }
  const body = await readJson(request, queueRequestSchema(config.avatarHosts));
  if (body.user_id !== undefined && body.user_id !== visit.userId) {
    throw new HttpError(403, "not_yours", "user_id is not the signed-in user", {
      details: [{ field: "user_id", message: "is not the signed-in user" }],
    });
  }
  const { model, duration, width, height, fps, seed } = body;
  const options = { model, duration, width, height, fps, seed };
  if ([...Object.values(options), body.avatar_url].some((option) => option !== undefined)) {
    await checkOptions(visit.admin(), body, config);
  }

  const { data, error } = await visit.admin().rpc("queue_video", {
    p_user_id: visit.userId,
    p_request: {
      kind: body.kind,
      child_id: body.child_id,
      rhyme_id: body.rhyme_id,
      ...(body.avatar_url === undefined ? {} : { avatar_url: body.avatar_url }),
      ...(model === undefined ? {} : { model }),
      options: { duration, width, height, fps, seed },
    },
    p_input_hash: await requestHash(body),
    p_expected_seconds: EXPECTED_SECONDS,
    ...(key === null ? {} : { p_idempotency_key: key }),
  });
  if (error) throw fromRpcError(error);
  const video = queued.parse(data);
  visit.log.info("Queued", { video_id: video.video_id, replayed: video.replayed });
  return Response.json({
    success: true,
    video_id: video.video_id,
    estimated_completion: video.estimated_completion,
    message: `"${video.title}" is in the queue. It costs ${video.gem_cost} gems.`,
  }, { status: 201 });
}

/** How long a rhyme's model and size are remembered for the check, in milliseconds. Never its price. */
const REMEMBER_MS = 60_000;
const remembered = new Map<string, { until: number; rhyme: Promise<CheckedRhyme | null> }>();

interface CheckedRhyme extends Rhyme {
  readonly provider: string;
}

/** 422 when the model can not do what is asked; nothing is charged. */
async function checkOptions(
  admin: AdminClient,
  body: QueueRequest,
  { modelsOf }: QueueVideoConfig,
): Promise<void> {
  const rhyme = await rhymeOf(admin, body.rhyme_id);
  // An unknown rhyme is queue_video's to refuse, with the same words as always.
  if (rhyme === null) return;
  const star = { childName: "a child", avatarUrl: body.avatar_url };
  const plan = planRhymeVideo(rhyme, body, star, modelsOf(rhyme.provider));
  if ("problems" in plan) throw invalidFields(422, plan.problems);
}

/** Remembered for a minute, so that the usual request (with an avatar) costs one call and not two. */
async function rhymeOf(admin: AdminClient, id: string): Promise<CheckedRhyme | null> {
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

async function readRhyme(admin: AdminClient, id: string): Promise<CheckedRhyme | null> {
  const { data, error } = await admin
    .from("rhymes")
    .select("title, prompt_template, provider, model, duration_seconds, width, height")
    .eq("id", id)
    .maybeSingle();
  if (error) throw fromRpcError(error);
  return data && {
    title: data.title,
    promptTemplate: data.prompt_template,
    provider: data.provider,
    model: data.model,
    durationSeconds: Number(data.duration_seconds),
    width: data.width,
    height: data.height,
  };
}
