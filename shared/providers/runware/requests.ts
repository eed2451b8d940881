/** From a video task of the port to Runware's `videoInference`. */
import type { IRequestVideo } from "@runware/sdk-js";
import type { VideoTask } from "../provider.ts";
import { findModel, type ModelSpec, PROMPT_MIN, type Size, sizeOf } from "../../domain/models.ts";
import { runwareModels } from "./models.ts";

/** Fields that the SDK declares, under the names and types it gives them. */
type Declared = Pick<
  IRequestVideo,
  | "model"
  | "positivePrompt"
  | "negativePrompt"
  | "duration"
  | "width"
  | "height"
  | "fps"
  | "seed"
  | "numberResults"
  | "outputType"
  | "outputFormat"
  | "includeCost"
>;

type Frame = "first" | "last";

/** One task as it goes over the wire: what the SDK declares, and what only the docs know. */
export interface VideoInferenceTask extends Declared {
  readonly taskType: "videoInference";
  readonly taskUUID: string;
  readonly deliveryMethod: "async";
  readonly duration: number;
  readonly ttl: number;
  readonly safety: typeof SAFETY;
  readonly webhookURL?: string;
  readonly inputs?: { readonly frameImages: readonly { image: string; frame: Frame }[] };
}

/**
 * How long a finished file stays at Runware; we copy it within minutes. A day: long enough for an
 * outage of our storage, short enough for pictures of children.
 */
const TTL_SECONDS = 86_400;
/**
 * Words and pictures are looked at before anything is made, at no charge; of the finished video `fast`
 * looks at the first, middle and last frame (runware.ai/docs/models-api/content-safety).
 */
const SAFETY = { blockContent: true, checkContent: true, mode: "fast" } as const;

/**
 * The request for one task. A model that is not in our table is sent with what every model takes;
 * what our table says a model does not take is left out, since an unknown field is an error there.
 */
export function toVideoInference(task: VideoTask): VideoInferenceTask {
  const spec = findModel(runwareModels, task.model);
  const { webhookUrl, seed } = task;
  return {
    taskType: "videoInference",
    taskUUID: task.id,
    model: spec?.id ?? task.model,
    ...prompts(task, spec),
    duration: task.durationSeconds,
    ...sizeToSend(task, spec),
    ...fpsToSend(task, spec),
    ...(seed === undefined ? {} : { seed }),
    ...frames(task),
    numberResults: 1,
    outputType: "URL",
    outputFormat: "MP4",
    includeCost: true,
    ttl: TTL_SECONDS,
    safety: SAFETY,
    deliveryMethod: "async",
    ...(webhookUrl === undefined ? {} : { webhookURL: webhookUrl }),
  };
}

/** Both prompts. Runware refuses what is too short, so that is left out. */
function prompts(
  { prompt, negativePrompt = "" }: VideoTask,
  spec: ModelSpec | undefined,
): { positivePrompt?: string; negativePrompt?: string } {
  const takesNegative = (spec?.negativePromptMax ?? 0) > 0;
  return {
    ...(prompt.length < PROMPT_MIN ? {} : { positivePrompt: prompt }),
    ...(takesNegative && negativePrompt.length >= PROMPT_MIN ? { negativePrompt } : {}),
  };
}

function sizeToSend(task: VideoTask, spec: ModelSpec | undefined): Partial<Size> {
  const size = sizeOf(task);
  if (size === undefined) return {};
  if (spec !== undefined && spec.tiers.length === 0) return {};
  const hasFrame = task.firstFrame !== undefined || task.lastFrame !== undefined;
  // Most models want either a frame or a size (their pages of 2026), never both.
  return hasFrame && spec?.frames.size !== "as_asked" ? {} : size;
}

function fpsToSend({ fps }: VideoTask, spec: ModelSpec | undefined): { fps?: number } {
  const isChoice = spec === undefined || spec.fps.length > 1;
  return fps !== undefined && isChoice ? { fps } : {};
}

function frames({ firstFrame, lastFrame }: VideoTask): Pick<VideoInferenceTask, "inputs"> {
  const given: { image: string; frame: Frame }[] = [];
  if (firstFrame !== undefined) given.push({ image: firstFrame, frame: "first" });
  if (lastFrame !== undefined) given.push({ image: lastFrame, frame: "last" });
  return given.length === 0 ? {} : { inputs: { frameImages: given } };
}
