import { type Size, tierOf, type Tiers } from "./sizes.ts";

/** Durations a model takes, in seconds. */
export type Durations =
  | { readonly values: readonly number[]; readonly default: number }
  | {
    readonly min: number;
    readonly max: number;
    readonly step: number;
    readonly default: number;
  };

/** What a price depends on. */
export interface Priced {
  readonly seconds: number;
  /** Name of the resolution; undefined where the size comes from the image or the model. */
  readonly tier: string | undefined;
  readonly audio: boolean;
}

/** One video model: what it takes and what it costs. */
export interface Model {
  /** AIR id, e.g. `pixverse:1@3`. */
  readonly air: string;
  readonly name: string;
  /** Key of its `providerSettings`. */
  readonly provider: string;
  /** Whether it makes videos from text alone. */
  readonly fromText: boolean;
  /** Frame images it takes; none: it works from text only. */
  readonly frames: readonly ("first" | "last")[];
  /** Most reference images. */
  readonly references: number;
  readonly promptMax: number;
  /** A video from an image needs a prompt as well. */
  readonly promptWithFrames: "required" | "optional";
  /** Longest negative prompt; 0: the parameter is not supported. */
  readonly negativePromptMax: number;
  readonly durations: Durations;
  /** Longest `duration` by resolution, where a resolution allows less. */
  readonly longestAt: Readonly<Record<string, number>>;
  /** Closed list of sizes; `"any"`: the API's general limits; `"none"`: must not be sent. */
  readonly sizes: Tiers | "any" | "none";
  /** Whether a video from text alone must say its size. */
  readonly sizeFromText: "required" | "optional";
  /** Whether a size may be sent beside frame images. */
  readonly sizeWithFrames: "allowed" | "forbidden";
  /** Whether `resolution` may be sent instead of a size. */
  readonly takesResolution: boolean;
  /** Frame rates it takes; empty: any that the API takes. */
  readonly fps: readonly number[];
  /** Largest `CFGScale`; 0: the parameter is not supported. */
  readonly cfgMax: number;
  readonly usd: (video: Priced) => number;
  /** The provider has ended this model. */
  readonly ended: boolean;
}

/** Whether the model takes any frame image. */
export function takesFrames(model: Model): boolean {
  return model.frames.length > 0;
}

/** The sizes of a model, smallest resolution first as the model's page lists them. */
export function sizesOf(model: Model): Size[] {
  return typeof model.sizes === "string" ? [] : Object.values(model.sizes).flat();
}

/** The resolution that `size` is of, where the model has a closed list. */
export function resolutionOf(model: Model, size: Size | undefined): string | undefined {
  if (!size || typeof model.sizes === "string") return undefined;
  return tierOf(model.sizes, size);
}

/** USD per second, by resolution; `default` where the size is not known. */
export function perSecond(usd: number | Readonly<Record<string, number>>): Model["usd"] {
  return ({ seconds, tier }) => {
    if (typeof usd === "number") return usd * seconds;
    return (usd[tier ?? "default"] ?? usd["default"] ?? 0) * seconds;
  };
}

/** USD per second without and with sound. */
export function perSecondOfSound(silent: number, sound: number): Model["usd"] {
  return ({ seconds, audio }) => (audio ? sound : silent) * seconds;
}
