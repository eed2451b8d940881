/** Videos from words at Runway: creating a task, and asking about it once. */
import { z } from "zod";
import { promptingStrategies } from "../domain/prompts.ts";
import { parseFields, readJson } from "../http/body.ts";
import type { UserVisit } from "../http/door.ts";
import { type FieldProblem, HttpError, invalidFields } from "../http/http_error.ts";
import { refuseUnknownNames } from "../http/query.ts";
import { assertAllowed, type Moderator } from "../moderation/moderator.ts";
import type { DraftRequest } from "./draft_request.ts";
import { duration, id } from "./fields.ts";
import { type ModelMarket, planModelDraft } from "./model_draft.ts";
import type { PlaceOrder } from "./queue_orders.ts";
import { idempotencyKey, queueOne } from "./queue_video.ts";
import { hashOf } from "./request_hash.ts";
import { queuedTask, readTaskVideo, REELS_FOLDER, taskOf, videoTask } from "./video_task_state.ts";
import { promptWords, words } from "./words_fields.ts";

/** The only provider of this function. */
const PROVIDER = "runway";

/** What `generate-video` is asked to make. */
export const generateVideoBody = z.strictObject({
  prompt: promptWords(),
  contentDraftId: words(1, 200).optional().meta({
    description: "Yours: kept with the video and answered.",
  }),
  config: z.strictObject({
    resolution: z.enum(["720p", "1080p"]).optional(),
    duration: duration.optional().meta({ description: "Seconds." }),
    style: words(1, 200).optional(),
    codec: z.string().max(20).optional().meta({
      description: "Runway makes h264: with any other, 422.",
    }),
    bitrate: z.number().positive().optional().meta({
      description: "In kbps. Runway has no such setting: with any value, 422.",
    }),
    promptingStrategy: z.enum(promptingStrategies).optional(),
  }).default({}),
});
type GenerateVideo = z.infer<typeof generateVideoBody>;

/** What `GET generate-video` is asked. */
export const taskQuery = z.object({ taskId: id });

/** What `generate-video` answers. */
export const taskAnswer = z.object({ success: z.literal(true), videoTask });
/** A task. */
export type TaskAnswer = z.infer<typeof taskAnswer>;

/** What this deployment allows. */
export interface GenerateVideoConfig extends ModelMarket {
  readonly moderator: Moderator;
  readonly placeOrder: PlaceOrder;
}

/**
 * POST generate-video: charges and queues; 201. GET generate-video?taskId=: how the task stands. What
 * Runway cannot do is 422 with the field, as in "config.codec", before any charge.
 */
export async function generateVideo(
  request: Request,
  visit: UserVisit,
  config: GenerateVideoConfig,
): Promise<Response> {
  if (request.method === "GET") {
    const { searchParams } = new URL(request.url);
    refuseUnknownNames(searchParams, Object.keys(taskQuery.shape));
    const query = parseFields({ taskId: searchParams.get("taskId") ?? undefined }, taskQuery);
    return await answerAbout(visit, query.taskId, 200);
  }
  const key = idempotencyKey(request);
  const body = await readJson(request, generateVideoBody, { most: 65_536 });
  const draft = await taskDraft(body, visit, config);
  const { config: output, ...asked } = body;
  // The door's name, so that the same key and words at another door are another request.
  const hash = await hashOf({ door: "generate-video", ...asked, ...output });
  const queued = await queueOne(visit, draft, { hash, key }, config.placeOrder);
  if (queued.replayed) return await answerAbout(visit, queued.video_id, 201);
  // Charged: from here on nothing may fail, or a caller without a key would buy once more.
  const task = queuedTask(queued, body.contentDraftId);
  return Response.json({ success: true, videoTask: task } satisfies TaskAnswer, { status: 201 });
}

async function answerAbout(visit: UserVisit, id: string, status: 200 | 201): Promise<Response> {
  const task = await taskOf(visit, await readTaskVideo(visit, id));
  return Response.json({ success: true, videoTask: task } satisfies TaskAnswer, { status });
}

/** Checks what the body asks for and plans it at the cheapest of Runway's models that can do it. */
async function taskDraft(
  { prompt, contentDraftId, config: asked }: GenerateVideo,
  visit: UserVisit,
  { makers, moderator }: GenerateVideoConfig,
): Promise<DraftRequest> {
  if (!makers.some(({ name }) => name === PROVIDER)) {
    throw new HttpError(503, "provider_unavailable", "Runway is not switched on here");
  }
  const { resolution, duration, style, promptingStrategy: prompting_strategy } = asked;
  await assertAllowed(moderator, { kind: "prompt", words: { prompt, "config.style": style } });
  const planned = await planModelDraft(
    {
      kind: "prompt",
      provider: PROVIDER,
      prompt,
      style,
      duration,
      resolution,
      prompting_strategy,
    },
    visit.admin(),
    { makers },
  );
  const refused = "problems" in planned ? asNamedHere(planned.problems) : [];
  const problems = [...outputProblems(asked), ...refused];
  if (problems.length > 0 || "problems" in planned) throw invalidFields(422, problems);

  const { options } = planned.request;
  return {
    ...planned,
    request: {
      ...planned.request,
      folder: REELS_FOLDER,
      options: { ...options, content_draft_id: contentDraftId },
    },
  };
}

/** What Runway's API has no field for (docs.dev.runwayml.com) is never dropped in silence. */
function outputProblems({ codec, bitrate }: GenerateVideo["config"]): FieldProblem[] {
  return [
    ...(codec === undefined || codec === "h264" ? [] : [{
      field: "config.codec",
      message: `Runway makes "h264", not "${codec}"`,
      allowed: ["h264"],
    }]),
    ...(bitrate === undefined ? [] : [{
      field: "config.bitrate",
      message: `Runway takes no bitrate, so leave "${bitrate}" out`,
      allowed: [],
    }]),
  ];
}

/** The fields here, by what a request of queue-video calls them. */
const namesHere: Readonly<Record<string, string>> = {
  prompt: "prompt",
  resolution: "config.resolution",
  duration: "config.duration",
  style: "config.style",
  prompting_strategy: "config.promptingStrategy",
};

/** What is wrong in this request's words; of fields that it does not have, that nothing is sold. */
function asNamedHere(problems: readonly FieldProblem[]): FieldProblem[] {
  const named = problems.flatMap(({ field, ...problem }) => {
    const name = namesHere[field];
    return name === undefined ? [] : { ...problem, field: name };
  });
  if (named.length === problems.length) return named;
  return [...named, { field: "config", message: "No model of Runway that is sold can make this" }];
}
