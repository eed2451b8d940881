/** Who makes videos here, and what they cost. */
import type { ModelSpec } from "./models.ts";

/** A provider that is switched on, and what it can make. */
export interface Maker {
  readonly name: string;
  readonly models: readonly ModelSpec[];
}

/** A row of the price list. */
export interface PriceRow {
  readonly provider: string;
  readonly model: string;
  /** Empty where the model has only one. */
  readonly resolution: string;
  readonly gemsPerSecond: number;
  /** Null: not sold with sound. */
  readonly gemsPerSecondWithSound: number | null;
  /** False while the provider takes no work. */
  readonly available: boolean;
}

/** What there is to choose from, and what it costs. */
export interface Market {
  readonly makers: readonly Maker[];
  readonly prices: readonly PriceRow[];
}

/** A provider and a model as a caller names them; absent or "auto": ours to choose. */
export interface Named {
  readonly provider?: string | undefined;
  readonly model?: string | undefined;
}

/** Whether the caller leaves it to us. */
export function isOurs(name: string | undefined): name is undefined | "auto" {
  return name === undefined || name === "auto";
}
