import { checkDimensions } from "./dimensions.ts";
import { isJsonObject, type JsonObject } from "./errors.ts";
import { checkChoice, readFlag, readNumber, readText, readUrl, refuse } from "./fields.ts";
import { checkFrames, inputsOf, isImage } from "./frames.ts";
import type { Model } from "./model.ts";
import { MODELS } from "./models.ts";
import { checkParameters, providerSettingsOf } from "./parameters.ts";
import type { Size } from "./sizes.ts";

/** A `videoInference` task that was found good. */
export interface Order {
  readonly model: Model;
  readonly seconds: number;
  readonly size: Size | undefined;
  readonly numberResults: number;
  readonly includeCost: boolean;
  /** Whether the finished video is looked at for what is unsafe for work. */
  readonly checkContent: boolean;
  /** Life of the result URL in seconds. */
  readonly ttlSeconds: number | undefined;
  readonly seed: number | undefined;
  readonly webhookUrl: string | undefined;
  /** What one result costs, in USD. */
  readonly usd: number;
}

const MAX_SEED = Number.MAX_SAFE_INTEGER;

/**
 * Reads a `videoInference` task and holds it against its model.
 *
 * @throws {TaskRefusal} with the first thing that is wrong.
 */
export function readOrder(task: JsonObject): Order {
  const model = readModel(task);
  checkParameters(task, model);
  checkGeneral(task);
  const frames = checkFrames(task, model);
  const references = checkReferences(task, model, { frames });
  checkPrompts(task, model, { fromImages: frames + references > 0 });
  const { size, tier } = checkDimensions(task, model, { frames });
  const seconds = checkDuration(task, model, tier);
  if (references > 0) checkReferenceRules(model, { seconds, tier });
  checkModelSettings(task, model);
  const audio = wantsAudio(task, model);
  return {
    model,
    seconds,
    size,
    numberResults: readNumber(task, "numberResults", { type: "integer", min: 1, max: 4 }) ?? 1,
    includeCost: readFlag(task, "includeCost"),
    checkContent: readFlag(safetyOf(task), "checkContent"),
    ttlSeconds: readNumber(task, "ttl", { type: "integer", min: 60, max: MAX_SEED }),
    seed: readNumber(task, "seed", { type: "integer", min: 1, max: MAX_SEED }),
    webhookUrl: readUrl(task, "webhookURL"),
    usd: Math.round(model.usd({ seconds, tier, audio }) * 10_000) / 10_000,
  };
}

function readModel(task: JsonObject): Model {
  const air = task["model"];
  if (air === undefined) {
    refuse("missingModel", "'model' is missing.", { parameter: "model", type: "string" });
  }
  const model = typeof air === "string" ? MODELS.get(air) : undefined;
  if (!model) {
    refuse("modelNotFound", `There is no video model ${JSON.stringify(air)}.`, {
      parameter: "model",
      allowedValues: [...MODELS.keys()],
    });
  }
  if (model.ended) {
    refuse("modelDisabled", `${model.name} is no longer offered.`, { parameter: "model" });
  }
  return model;
}

function checkGeneral(task: JsonObject): void {
  checkChoice(task, "deliveryMethod", ["async"], "unsupportedDeliveryMethod");
  checkChoice(task, "outputType", ["URL"]);
  checkChoice(task, "outputFormat", ["MP4", "WEBM", "MOV"]);
  readNumber(task, "outputQuality", { type: "integer", min: 20, max: 99 });
  readFlag(task, "checkNSFW");
  const safety = safetyOf(task);
  checkChoice(safety, "mode", ["none", "fast", "full"]);
  readFlag(safety, "blockContent");
}

function safetyOf(task: JsonObject): JsonObject {
  const safety = task["safety"] ?? {};
  if (isJsonObject(safety)) return safety;
  refuse("invalidSafety", "'safety' must be an object.", { parameter: "safety", type: "object" });
}

/** Reference images in either form; they go with no frame image. */
function checkReferences(
  task: JsonObject,
  model: Model,
  { frames }: { readonly frames: number },
): number {
  const inputs = inputsOf(task);
  const unknown = Object.keys(inputs).find((name) =>
    !["frameImages", "references", "referenceImages"].includes(name)
  );
  if (unknown !== undefined) {
    refuse("unsupportedParameter", `Parameter 'inputs.${unknown}' is not supported.`, {
      parameter: `inputs.${unknown}`,
    });
  }
  const images = inputs["references"] ?? inputs["referenceImages"] ?? task["referenceImages"];
  if (images === undefined) return 0;
  const about = { parameter: "inputs.references", type: "array" };
  if (!Array.isArray(images) || !images.every(isReference)) {
    refuse("invalidReferences", "Reference images must be an array of images.", about);
  }
  if (images.length > model.references) {
    refuse(
      "arrayTooLarge",
      `${model.name} takes at most ${model.references} reference image(s).`,
      { ...about, max: model.references },
    );
  }
  if (frames > 0) {
    refuse("incompatibleParameters", "Reference images and frame images do not go together.", {
      parameter: ["inputs.references", "inputs.frameImages"],
    });
  }
  return images.length;
}

function isReference(one: unknown): boolean {
  return isImage(isJsonObject(one) ? one["image"] : one);
}

function checkPrompts(
  task: JsonObject,
  model: Model,
  { fromImages }: { readonly fromImages: boolean },
): void {
  const prompt = readText(task, "positivePrompt", { min: 2, max: model.promptMax });
  if (prompt === undefined && !(fromImages && model.promptWithFrames === "optional")) {
    refuse("missingPositivePrompt", "'positivePrompt' is missing.", {
      parameter: "positivePrompt",
      type: "string",
      min: 2,
      max: model.promptMax,
    });
  }
  readText(task, "negativePrompt", { min: 2, max: model.negativePromptMax });
}

function checkDuration(task: JsonObject, model: Model, tier: string | undefined): number {
  const { durations } = model;
  const value = task["duration"] ?? durations.default;
  const longest = model.longestAt[tier ?? ""] ?? Infinity;
  const about = { parameter: "duration", type: "float" };
  if ("values" in durations) {
    const allowed = durations.values.filter((seconds) => seconds <= longest);
    if (typeof value === "number" && allowed.includes(value)) return value;
    refuse(
      "unsupportedDuration",
      `${model.name} has no duration ${JSON.stringify(value)}: it takes ${allowed.join(", ")} s.`,
      { ...about, allowedValues: allowed },
    );
  }
  const { min, max, step } = durations;
  const steps = typeof value === "number" ? (value - min) / step : NaN;
  const onStep = Math.abs(steps - Math.round(steps)) < 1e-6;
  if (typeof value === "number" && value >= min && value <= max && onStep) return value;
  refuse(
    "unsupportedDuration",
    `${model.name} has no duration ${
      JSON.stringify(value)
    }: it takes ${min} to ${max} s in steps of ${step} s.`,
    { ...about, min, max, multiplier: step },
  );
}

/** Veo makes videos from references in one length and one resolution only. */
function checkReferenceRules(
  model: Model,
  { seconds, tier }: { readonly seconds: number; readonly tier: string | undefined },
): void {
  if (model.provider !== "google") return;
  if (seconds !== 8) {
    refuse("unsupportedDuration", `${model.name} makes 8 s from reference images.`, {
      parameter: "duration",
      type: "float",
      allowedValues: [8],
    });
  }
  if (tier !== undefined && tier !== "720p") {
    refuse("unsupportedDimensions", `${model.name} makes 720p from reference images.`, {
      parameter: ["width", "height"],
      allowedValues: ["1280x720", "720x1280"],
    });
  }
}

function checkModelSettings(task: JsonObject, model: Model): void {
  if (model.fps.length > 0) checkChoice(task, "fps", model.fps);
  else readNumber(task, "fps", { type: "integer", min: 15, max: 60 });
  readNumber(task, "CFGScale", { type: "float", min: 0, max: model.cfgMax });
}

function wantsAudio(task: JsonObject, model: Model): boolean {
  const own = providerSettingsOf(task, model);
  const settings = task["settings"];
  const general = isJsonObject(settings) ? settings["audio"] : undefined;
  return [own["generateAudio"], own["audio"], own["sound"], general].includes(true);
}
