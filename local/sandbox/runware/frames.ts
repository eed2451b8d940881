import { type ApiError, isJsonObject, type JsonObject } from "./errors.ts";
import { isWebUrl, refuse } from "./fields.ts";
import { type Model, takesFrames } from "./model.ts";

const PARAMETER = "inputs.frameImages";
const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const DATA_URI = /^data:image\/(png|jpe?g|webp);base64,/i;
const BASE64 = /^[A-Za-z0-9+/]{64,}={0,2}$/;

/** How many frame images the task starts from, in the form of 2025 or of 2026. */
export function checkFrames(task: JsonObject, model: Model): number {
  const { old, current } = { old: task["frameImages"], current: inputsOf(task)["frameImages"] };
  if (old !== undefined && current !== undefined) {
    refuse("incompatibleParameters", "Send either 'frameImages' or 'inputs.frameImages'.", {
      parameter: ["frameImages", PARAMETER],
    });
  }
  const images = old ?? current;
  if (images === undefined) return requireNone(model);
  if (!Array.isArray(images) || images.length === 0) {
    refuse("invalidFrameImages", `'${PARAMETER}' must be an array of one image or more.`, about());
  }
  if (!takesFrames(model)) {
    refuse("unsupportedParameter", `${model.name} makes videos from text only.`, about());
  }
  if (images.length > model.frames.length) {
    refuse("arrayTooLarge", `${model.name} takes at most ${model.frames.length} frame image(s).`, {
      ...about(),
      max: model.frames.length,
    });
  }
  for (const image of images) checkFrame(image, model);
  return images.length;
}

/** The `inputs` object of a task, empty when absent. */
export function inputsOf(task: JsonObject): JsonObject {
  const inputs = task["inputs"] ?? {};
  if (isJsonObject(inputs)) return inputs;
  refuse("invalidInputs", "'inputs' must be an object.", { parameter: "inputs", type: "object" });
}

/** Whether `value` is one of the four ways to hand an image over: id, URL, data URI or base64. */
export function isImage(value: unknown): value is string {
  return typeof value === "string" &&
    (UUID.test(value) || isWebUrl(value) || DATA_URI.test(value) || BASE64.test(value));
}

function requireNone(model: Model): number {
  if (model.fromText) return 0;
  refuse(
    "missingFrameImages",
    `${model.name} makes videos from an image only: '${PARAMETER}' is required.`,
    about(),
  );
}

function checkFrame(frame: unknown, model: Model): void {
  const image = isJsonObject(frame) ? frame["image"] ?? frame["inputImage"] : frame;
  if (!isImage(image)) {
    refuse(
      "invalidFrameImages",
      "A frame image must be the UUID of an upload, an http(s) URL, a data URI or base64 of a PNG, JPG or WEBP.",
      about(),
    );
  }
  const position = isJsonObject(frame) ? frame["frame"] : undefined;
  if (position === undefined || Number.isInteger(position)) return;
  const allowed: readonly unknown[] = model.frames;
  if (allowed.includes(position)) return;
  refuse(
    "invalidFrameImages",
    `${model.name} has no frame ${JSON.stringify(position)}: it takes ${model.frames.join(", ")}.`,
    { ...about(), allowedValues: allowed },
  );
}

function about(): Partial<ApiError> {
  return { parameter: PARAMETER, type: "array" };
}
