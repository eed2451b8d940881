import { isJsonObject, type JsonObject } from "./errors.ts";
import { refuse } from "./fields.ts";
import type { Model } from "./model.ts";

/** Parameters of every video model. */
const GENERAL: ReadonlySet<string> = new Set([
  ...["taskType", "taskUUID", "model", "positivePrompt", "duration", "deliveryMethod"],
  ...["outputType", "outputFormat", "outputQuality", "includeCost", "ttl", "numberResults"],
  ...["webhookURL", "safety", "checkNSFW", "seed", "width", "height", "fps"],
  ...["frameImages", "inputs", "providerSettings", "settings"],
]);

/** Parameters that Runware has, but not these models, or not at this place. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  ...["negativePrompt", "CFGScale", "resolution", "referenceImages", "steps", "acceleration"],
  ...["lora", "speech", "audio", "generateAudio", "scheduler", "strength", "style", "sound"],
  // The sandbox hands files out at their URL only, and says so rather than never sending them.
  ...["uploadEndpoint", "inputAudios", "referenceVideos", "effect", "cameraMovement"],
]);

/** Fields of `providerSettings.<provider>`. */
const PROVIDER_SETTINGS: Readonly<Record<string, readonly string[]>> = {
  google: ["generateAudio", "enhancePrompt", "personGeneration", "resizeMode"],
  bytedance: ["cameraFixed", "audio"],
  minimax: ["promptOptimizer"],
  pixverse: [
    ...["style", "effect", "cameraMovement", "motionMode", "soundEffectSwitch"],
    ...["soundEffectContent", "watermark"],
  ],
  vidu: ["movementAmplitude", "bgm", "style"],
  klingai: ["sound"],
  runway: ["contentModeration"],
};

/** Refuses the first parameter that the model does not have. */
export function checkParameters(task: JsonObject, model: Model): void {
  for (const name of Object.keys(task)) {
    if (GENERAL.has(name) || takes(model, name)) continue;
    const code = ELSEWHERE.has(name) ? "unsupportedParameter" : "unknownParameter";
    refuse(code, `Parameter '${name}' is not supported by ${model.name}.`, { parameter: name });
  }
}

/** The settings for the model's provider, empty when absent. */
export function providerSettingsOf(task: JsonObject, model: Model): JsonObject {
  const all = task["providerSettings"] ?? {};
  if (!isJsonObject(all)) {
    refuse("invalidProviderSettings", "'providerSettings' must be an object.", {
      parameter: "providerSettings",
      type: "object",
    });
  }
  const stranger = Object.keys(all).find((name) => name !== model.provider);
  if (stranger !== undefined) {
    refuse(
      "mismatchProviderSettingsProvider",
      `${model.name} is a model of '${model.provider}', but 'providerSettings' is for '${stranger}'.`,
      { parameter: `providerSettings.${stranger}`, allowedValues: [model.provider] },
    );
  }
  const settings = all[model.provider] ?? {};
  return isJsonObject(settings) ? checkSettings(settings, model.provider) : {};
}

function checkSettings(settings: JsonObject, provider: string): JsonObject {
  const known = PROVIDER_SETTINGS[provider] ?? [];
  const unknown = Object.keys(settings).find((name) => !known.includes(name));
  if (unknown === undefined) return settings;
  const parameter = `providerSettings.${provider}.${unknown}`;
  refuse("unsupportedParameter", `There is no parameter '${parameter}'.`, {
    parameter,
    allowedValues: known,
  });
}

function takes(model: Model, name: string): boolean {
  switch (name) {
    case "negativePrompt":
      return model.negativePromptMax > 0;
    case "CFGScale":
      return model.cfgMax > 0;
    case "resolution":
      return model.takesResolution;
    case "referenceImages":
      return model.references > 0;
    default:
      return false;
  }
}
