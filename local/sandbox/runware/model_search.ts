import type { JsonObject } from "./errors.ts";
import { readNumber, readText } from "./fields.ts";
import type { Model } from "./model.ts";
import { MODELS } from "./models.ts";

/** `modelSearch` over the models the sandbox knows; `search` looks at ids and names. */
export function searchModels(task: JsonObject, taskUUID: string): JsonObject {
  const text = (readText(task, "search", { min: 0, max: 200 }) ?? "").toLowerCase();
  const limit = readNumber(task, "limit", { type: "integer", min: 1, max: 100 }) ?? 20;
  const offset = readNumber(task, "offset", { type: "integer", min: 0, max: 100_000 }) ?? 0;
  const found = [...MODELS.values()].filter((model) =>
    !model.ended && `${model.air} ${model.name}`.toLowerCase().includes(text)
  );
  return {
    taskType: "modelSearch",
    taskUUID,
    results: found.slice(offset, offset + limit).map(describe),
    totalResults: found.length,
  };
}

function describe(model: Model): JsonObject {
  return {
    air: model.air,
    name: model.name,
    category: "video",
    capabilities: [
      ...(model.fromText ? ["text-to-video"] : []),
      ...(model.frames.length > 0 ? ["image-to-video"] : []),
    ],
  };
}
