/**
 * What a video model can do, in words that no provider owns. Every provider's table is a list of
 * these; the door refuses with them, the catalogue is priced with them.
 */
import { roundUsd } from "./usd.ts";

/** Fewest characters of a prompt: what Runware takes (its API reference, "positivePrompt"). */
export const PROMPT_MIN = 2;

/** Pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Lengths a model makes, in seconds: a closed list, or every step between two ends. */
export type Durations =
  | { readonly list: readonly number[] }
  | { readonly min: number; readonly max: number; readonly step: number };

/** What a video costs us in USD: per second, or measured for single lengths only. */
export type Price =
  | { readonly perSecond: number }
  | { readonly bySeconds: Readonly<Record<number, number>> };

/** Sizes of one quality. Length and price usually depend on the quality, not on the shape. */
export interface SizeTier {
  /** As people say it: "720p". */
  readonly name: string;
  readonly sizes: readonly Size[];
  /** Where these sizes are made from one kind of start only. */
  readonly modes?: ModelSpec["modes"];
  /** Where this quality allows other lengths than the model's own. */
  readonly durations?: Durations;
  /** Without sound, where that is a choice. Absent: nobody has published or measured it. */
  readonly price?: Price;
  /** With the sound that was asked for. Absent: as above. */
  readonly priceWithSound?: Price;
}

/** One model of one provider. */
export interface ModelSpec {
  /** The provider's own id; its stem where the provider has one for words and another for pictures. */
  readonly id: string;
  /** Other names people use for it in catalogues and settings. */
  readonly aliases: readonly string[];
  readonly name: string;
  /** What a video may start from: words alone, or a picture. */
  readonly modes: readonly ("text" | "image")[];
  /** Characters (UTF-16 units, which never undercounts what a provider counts). */
  readonly promptMax: number;
  /** Characters; 0 where the model takes no negative prompt. */
  readonly negativePromptMax: number;
  readonly durations: Durations;
  /** None: the size always comes from the first frame and must not be sent. */
  readonly tiers: readonly SizeTier[];
  /** True where a video from words alone may leave the size out. */
  readonly sizeOptional?: boolean;
  /** Two or more: the caller may choose. One: what comes out, never sent. None: the model decides. */
  readonly fps: readonly number[];
  /** A first frame is taken by every model whose modes name "image". */
  readonly frames: {
    readonly last: boolean;
    /**
     * With a frame, all of the size is taken from the picture, or only the shape (the quality is asked
     * for), or it may be sent beside the frame.
     */
    readonly size: "from_image" | "shape_from_image" | "as_asked";
  };
  /** Sound is made where it is asked for, or always; absent, or "never": the model makes none. */
  readonly audio?: "never" | "on_request" | "always";
  /** True where the caller may choose the seed. */
  readonly seed?: boolean;
  /** Seconds one render takes until we have measured it ourselves. */
  readonly renderSeconds: number;
  /** True where the provider no longer offers it. */
  readonly retired?: boolean;
}

/** What one video is asked to be. */
export interface VideoRequest {
  readonly prompt: string;
  readonly negativePrompt?: string;
  readonly durationSeconds: number;
  readonly width?: number;
  readonly height?: number;
  readonly fps?: number;
  readonly seed?: number;
  /** Sound made with the video; where nobody says, it is silent if the model lets us choose. */
  readonly audio?: boolean;
  /** Public https URL of the image the video starts with. */
  readonly firstFrame?: string;
  readonly lastFrame?: string;
}

/** The model with this id or alias, or undefined. */
export function findModel<M extends ModelSpec>(models: readonly M[], name: string): M | undefined {
  return models.find((model) => model.id === name) ??
    models.find((model) => model.aliases.includes(name));
}

/** The quality a size belongs to, or undefined where the model does not make that size. */
export function tierOf(spec: ModelSpec, size: Size): SizeTier | undefined {
  return spec.tiers.find((tier) =>
    tier.sizes.some((one) => one.width === size.width && one.height === size.height)
  );
}

/** The size asked for, or undefined when either side is missing. */
export function sizeOf(request: VideoRequest): Size | undefined {
  const { width, height } = request;
  return width === undefined || height === undefined ? undefined : { width, height };
}

/** Every length in the list, or of the range. */
export function allows(durations: Durations, seconds: number): boolean {
  if ("list" in durations) return durations.list.includes(seconds);
  if (!(seconds >= durations.min && seconds <= durations.max)) return false;
  // Steps such as 0.1 have no exact double, so compare in steps and not in seconds.
  const steps = (seconds - durations.min) / durations.step;
  return Math.abs(steps - Math.round(steps)) < 1e-6;
}

/** What a quality costs us, with or without sound, or undefined where no figure is known. */
export function priceOf(
  { audio }: ModelSpec,
  tier: SizeTier,
  sound: "silent" | "with_sound",
): Price | undefined {
  return sound === "with_sound" && audio !== "always" ? tier.priceWithSound : tier.price;
}

/**
 * What one video will cost us, in USD, or null where no figure is known. A video that takes its
 * size from a picture is priced by the size asked for, which is the best guess there is.
 */
export function estimateUsd(spec: ModelSpec, request: VideoRequest): number | null {
  const size = sizeOf(request);
  const tiers = size === undefined ? spec.tiers : [tierOf(spec, size)];
  const sound = request.audio === true ? "with_sound" : "silent";
  const prices = tiers.map((tier) =>
    tier === undefined ? null : usdOf(priceOf(spec, tier, sound), request.durationSeconds)
  );
  const [first, ...others] = prices;
  // Without a size there is an answer only where every quality costs the same.
  if (first === undefined || first === null || others.some((other) => other !== first)) return null;
  return first;
}

function usdOf(price: Price | undefined, seconds: number): number | null {
  if (price === undefined) return null;
  if ("bySeconds" in price) return price.bySeconds[seconds] ?? null;
  return roundUsd(price.perSecond * seconds);
}
