/** From a video task of the port to KIE's createTask. */
import { findModel, sizeOf } from "../../domain/models.ts";
import type { ProviderError, VideoTask } from "../provider.ts";
import type { CreateTask } from "./client.ts";
import { kieModels } from "./models.ts";
import { type KieModel, nominalSize } from "./models/table.ts";

/** The request for one task; an error where the model is not in our table, since each has its own input. */
export function createTaskOf(task: VideoTask): CreateTask | ProviderError {
  const model = findModel(kieModels, task.model);
  if (model === undefined) {
    const message = `There is no model "${task.model}" in the table of KIE's models`;
    return { kind: "model_off", code: "unknown_model", message, raw: null };
  }
  return {
    ...model.ask({ task, ...formatOf(model, task) }),
    ...(task.webhookUrl === undefined ? {} : { callBackUrl: task.webhookUrl }),
  };
}

/** Quality and shape of the size asked for; the model's first of each where there is none like it. */
function formatOf(model: KieModel, task: VideoTask): { quality: string; shape: string } {
  const size = sizeOf(task);
  for (const { name: quality } of model.tiers) {
    for (const shape of model.shapes) {
      const { width, height } = nominalSize(shape, quality);
      if (width === size?.width && height === size.height) return { quality, shape };
    }
  }
  return { quality: model.tiers[0]?.name ?? "720p", shape: model.shapes[0] ?? "16:9" };
}
