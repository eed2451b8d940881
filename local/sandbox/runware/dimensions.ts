import type { JsonObject } from "./errors.ts";
import { checkChoice, readNumber, refuse } from "./fields.ts";
import { type Model, resolutionOf, sizesOf } from "./model.ts";
import type { Size } from "./sizes.ts";

const PAIR = ["width", "height"] as const;
const GENERAL = { type: "integer", min: 256, max: 1920, multiplier: 8 } as const;
const ANY_INTEGER = { type: "integer", min: 1, max: 16_384 } as const;

/** What a task says about its size. */
export interface Dimensions {
  readonly size?: Size;
  /** Name of the resolution, e.g. `720p`, where the model has a closed list of sizes. */
  readonly tier?: string;
}

/** Reads width, height and resolution, and holds them against what the model takes. */
export function checkDimensions(
  task: JsonObject,
  model: Model,
  { frames }: { readonly frames: number },
): Dimensions {
  const size = readSize(task, model);
  const resolution = task["resolution"];
  if (size && resolution !== undefined) {
    refuse("incompatibleParameters", "Send either 'resolution' or 'width' and 'height'.", {
      parameter: [...PAIR, "resolution"],
    });
  }
  checkPresence(model, { frames, sized: size !== undefined || resolution !== undefined });
  checkResolution(task, model);
  if (typeof resolution === "string") return { tier: resolution };
  if (!size) return {};
  const tier = resolutionOf(model, size);
  if (tier === undefined && typeof model.sizes !== "string") {
    refuse("unsupportedDimensions", `${model.name} has no size ${size}.`, {
      parameter: PAIR,
      allowedValues: sizesOf(model),
    });
  }
  return { size, ...(tier !== undefined && { tier }) };
}

function readSize(task: JsonObject, model: Model): Size | undefined {
  const limits = model.sizes === "any" ? GENERAL : ANY_INTEGER;
  const width = readNumber(task, "width", limits);
  const height = readNumber(task, "height", limits);
  if (width !== undefined && height !== undefined) return `${width}x${height}`;
  if (width === undefined && height === undefined) return undefined;
  const missing = width === undefined ? "width" : "height";
  refuse(
    missing === "width" ? "missingWidth" : "missingHeight",
    `'${missing}' is missing: width and height must be sent together.`,
    { parameter: missing },
  );
}

function checkPresence(
  model: Model,
  { frames, sized }: { readonly frames: number; readonly sized: boolean },
): void {
  if (sized && model.sizes === "none") {
    refuse("unsupportedParameter", `${model.name} takes its size from the image.`, {
      parameter: PAIR,
    });
  }
  if (sized && frames > 0 && model.sizeWithFrames === "forbidden") {
    refuse(
      "incompatibleParameters",
      `${model.name} takes either frame images or a size, not both.`,
      { parameter: ["inputs.frameImages", ...PAIR] },
    );
  }
  if (!sized && frames === 0 && model.sizeFromText === "required") {
    refuse("missingWidth", `${model.name} needs 'width' and 'height' to work from text.`, {
      parameter: PAIR,
      allowedValues: sizesOf(model),
    });
  }
}

function checkResolution(task: JsonObject, model: Model): void {
  const names = typeof model.sizes === "string"
    ? ["480p", "720p", "1080p"]
    : Object.keys(model.sizes);
  checkChoice(task, "resolution", names, "unsupportedResolution");
}
