/** From a video task of the port to what Runway's create endpoints take. */
import type RunwayML from "@runwayml/sdk";
import { findModel, type ModelSpec, type Size, sizeOf } from "../../domain/models.ts";
import type { VideoTask } from "../provider.ts";
import { runwayModels } from "./models.ts";

/** The SDK's own field names, so that a field Runway renames is a type error here. */
type Field<T> = T extends unknown ? keyof T : never;
type BodyField =
  | Field<RunwayML.ImageToVideoCreateParams>
  | Field<RunwayML.TextToVideoCreateParams>;

/** One create call. */
export interface RunwayRequest {
  readonly path: "/v1/image_to_video" | "/v1/text_to_video";
  readonly body: Readonly<Partial<Record<BodyField, unknown>>>;
}

const DEFAULT_SIZE: Size = { width: 1280, height: 720 };

/**
 * The request for one task: from a picture where there is one, from words alone otherwise. What our
 * table says a model does not take is left out, since an unknown field is an error there.
 */
export function toRunwayRequest(task: VideoTask): RunwayRequest {
  const spec = findModel(runwayModels, task.model);
  const { firstFrame, seed } = task;
  const shared: RunwayRequest["body"] = {
    model: spec?.id ?? task.model,
    promptText: task.prompt,
    ratio: ratioOf(task, spec),
    duration: task.durationSeconds,
    ...negativePrompt(task, spec),
    // Sound costs up to twice as much; our prices are without.
    ...(spec?.id.startsWith("veo") ? { audio: false } : {}),
    ...(seed === undefined ? {} : { seed }),
  };
  if (firstFrame === undefined) return { path: "/v1/text_to_video", body: shared };
  return { path: "/v1/image_to_video", body: { ...shared, promptImage: frames(task, firstFrame) } };
}

/** Runway writes a size as "1280:720" and always wants one. */
function ratioOf(task: VideoTask, spec: ModelSpec | undefined): string {
  const { width, height } = sizeOf(task) ?? spec?.tiers[0]?.sizes[0] ?? DEFAULT_SIZE;
  return `${width}:${height}`;
}

function negativePrompt(
  { negativePrompt = "" }: VideoTask,
  spec: ModelSpec | undefined,
): RunwayRequest["body"] {
  const takes = (spec?.negativePromptMax ?? 0) > 0 && negativePrompt.trim() !== "";
  return takes ? { negativePrompt } : {};
}

function frames({ lastFrame }: VideoTask, firstFrame: string): unknown {
  if (lastFrame === undefined) return firstFrame;
  return [{ uri: firstFrame, position: "first" }, { uri: lastFrame, position: "last" }];
}
