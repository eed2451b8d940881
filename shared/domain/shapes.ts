/** Sizes as people ask for them: a resolution and an aspect ratio. */
import type { ModelSpec, Size, SizeTier } from "./models.ts";

/** Shapes that can be asked for, width to height. */
export const aspectRatios = ["16:9", "9:16", "1:1", "4:3", "3:4", "21:9"] as const;
/** One of the shapes. */
export type AspectRatio = typeof aspectRatios[number];

/** Models round to whole blocks of pixels: 1280x704 counts as 16:9. */
const TOLERANCE = 0.04;

/** Asked for where nobody says. */
const USUAL_RESOLUTION = "720p";

/** The quality of this name; without a name the usual one, where its cost is known, or the first. */
export function tierNamed(spec: ModelSpec, resolution: string | undefined): SizeTier | undefined {
  if (resolution !== undefined) return spec.tiers.find((tier) => tier.name === resolution);
  const sold = spec.tiers.filter((tier) => tier.price !== undefined);
  const tiers = sold.length > 0 ? sold : spec.tiers;
  return tiers.find((tier) => tier.name === USUAL_RESOLUTION) ?? tiers[0];
}

/** The quality whose seconds cost us most, or the first where no cost is known. */
export function mostExpensiveTier(tiers: readonly SizeTier[]): SizeTier | undefined {
  return tiers.toSorted((a, b) => usdOfSecond(b) - usdOfSecond(a))[0];
}

/** USD, for the dearest length; 0 where it is not known. */
function usdOfSecond({ price }: SizeTier): number {
  if (price === undefined) return 0;
  if ("perSecond" in price) return price.perSecond;
  return Math.max(
    0,
    ...Object.entries(price.bySeconds).map(([length, usd]) => usd / Number(length)),
  );
}

/** The size of a quality that has this shape. */
export function sizeOfShape(tier: SizeTier, shape: AspectRatio): Size | undefined {
  const wanted = ratioOf(shape);
  return tier.sizes.find((size) => Math.abs(size.width / size.height / wanted - 1) <= TOLERANCE);
}

/** The shapes that a quality comes in. */
export function shapesOf(tier: SizeTier): AspectRatio[] {
  return aspectRatios.filter((shape) => sizeOfShape(tier, shape) !== undefined);
}

function ratioOf(shape: AspectRatio): number {
  const [width = 1, height = 1] = shape.split(":").map(Number);
  return width / height;
}
