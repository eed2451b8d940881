/** How the tables beside this file are written. */
import type { ModelSpec, Price, SizeTier } from "../../../domain/models.ts";

/** Facts that a whole vendor's range shares. */
export type Family = Omit<ModelSpec, "id" | "aliases" | "name" | "tiers" | "renderSeconds">;

/** A quality from "1280x720 720x1280". */
export function tier(name: string, sizes: string, more: Partial<SizeTier> = {}): SizeTier {
  const parsed = sizes.split(" ").map((size) => {
    const [width = Number.NaN, height = Number.NaN] = size.split("x").map(Number);
    return { width, height };
  });
  return { name, sizes: parsed, ...more };
}

/** A price of so many USD a second. */
export function perSecond(usd: number): { price: Price } {
  return { price: { perSecond: usd } };
}

/** Prices in USD of single lengths; other lengths have none. */
export function bySeconds(usd: Record<number, number>): { price: Price } {
  return { price: { bySeconds: usd } };
}
