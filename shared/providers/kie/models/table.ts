/** How the tables beside this file are written. */
import type { ModelSpec, Price, Size, SizeTier } from "../../../domain/models.ts";
import type { VideoTask } from "../../provider.ts";
import type { CreateTask } from "../client.ts";

/** Facts that a whole vendor's range shares. */
export type Family = Omit<ModelSpec, "id" | "aliases" | "name" | "tiers" | "renderSeconds">;

/** What a table's row is told of a task: KIE takes a shape and a quality, not pixels. */
export interface Wanted {
  readonly task: VideoTask;
  /** A quality of the model, as people say it: "720p". */
  readonly quality: string;
  /** "16:9" and its like. */
  readonly shape: string;
}

/**
 * A model we sell, and how it is asked for. Where KIE has an id for words and another one for pictures,
 * `id` is what they have in common, both are aliases, and `ask` picks the right one.
 */
export interface KieModel extends ModelSpec {
  readonly shapes: readonly string[];
  readonly ask: (wanted: Wanted) => Pick<CreateTask, "model" | "input">;
}

/** The shapes that nearly every model makes. */
export const USUAL_SHAPES: readonly string[] = ["16:9", "9:16", "1:1"];

/** Short sides of qualities that do not say it in their name. */
const shortSides: Readonly<Record<string, number>> = { "2K": 1_440, "4K": 2_160 };

/** The pixels of a shape in a quality. KIE promises none; these are what the words stand for. */
export function nominalSize(shape: string, quality: string): Size {
  const [across = 1, down = 1] = shape.split(":").map(Number);
  const short = shortSides[quality] ?? Number.parseInt(quality, 10);
  const long = evenly(short * Math.max(across, down) / Math.min(across, down));
  return across >= down ? { width: long, height: short } : { width: short, height: long };
}

/**
 * Qualities with their prices: USD a second, USD of single lengths, or none where nobody knows it. Prices
 * with sound are USD a second.
 */
export function tiers(
  shapes: readonly string[],
  prices: Readonly<Record<string, number | Readonly<Record<number, number>> | null>>,
  withSound: Readonly<Record<string, number>> = {},
): SizeTier[] {
  return Object.entries(prices).map(([name, price]) => {
    const perSecond = withSound[name];
    return {
      name,
      sizes: shapes.map((shape) => nominalSize(shape, name)),
      ...(price === null ? {} : { price: asPrice(price) }),
      ...(perSecond === undefined ? {} : { priceWithSound: { perSecond } }),
    };
  });
}

/** Both frames, as far as they are given. */
export function framesOf({ firstFrame, lastFrame }: VideoTask): string[] {
  return [firstFrame, lastFrame].filter((frame) => frame !== undefined);
}

/** The field where there is something to put in it. */
export function given<V>(name: string, value: V | undefined): Readonly<Record<string, V>> {
  return value === undefined ? {} : { [name]: value };
}

function asPrice(price: number | Readonly<Record<number, number>>): Price {
  return typeof price === "number" ? { perSecond: price } : { bySeconds: price };
}

/** Video codecs want even sides. */
function evenly(pixels: number): number {
  return Math.round(pixels / 2) * 2;
}
