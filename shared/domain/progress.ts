/** How far a render is and how long it still takes. Pure; time comes as numbers. */
import { USUAL_RENDER_SECONDS } from "./render_seconds.ts";

/** What is shown while a provider renders: from its acceptance to just before the delivery. */
const GENERATING_FROM = 15;
const GENERATING_TO = 85;
/** Shortest time ever announced while something is still to be done. */
const SHORTEST_ETA_SECONDS = 5;

/** Where a render stands. */
export interface Rendering {
  /** Seconds since the provider took the task. */
  readonly elapsedSeconds: number;
  /** Median seconds of recent renders by this model; 0 or NaN where there is none. */
  readonly medianSeconds: number;
  /** 0 to 100, where the provider tells it. */
  readonly providerProgress?: number;
}

/**
 * Percentage of the whole while the provider renders: a whole number from 15 to 85. `floor` is what
 * was shown before; the result is never below it, because a bar that goes back looks broken. By the
 * clock alone it comes close to 85 and stays below: only the provider can say that it is done.
 */
export function estimateProgress(rendering: Rendering & { readonly floor: number }): number {
  const told = fractionTold(rendering);
  const share = told ?? fractionByClock(rendering);
  const percent = Math.floor(GENERATING_FROM + share * (GENERATING_TO - GENERATING_FROM));
  const shown = told === undefined ? Math.min(percent, GENERATING_TO - 1) : percent;
  return Math.max(shown, clamp(Math.floor(rendering.floor), GENERATING_FROM, GENERATING_TO));
}

/** Whole seconds the render probably still takes, at least 5. */
export function etaSeconds(rendering: Rendering): number {
  const elapsed = positive(rendering.elapsedSeconds, 0);
  const median = medianOf(rendering);
  const told = fractionTold(rendering);
  // Below a tenth the provider's figure is too coarse to divide by.
  const left = told !== undefined && told >= 0.1
    ? elapsed * (1 - told) / told
    // Past the median there is no knowing; a tenth of it says "soon" without counting down to zero.
    : Math.max(median - elapsed, median / 10);
  return Math.max(SHORTEST_ETA_SECONDS, Math.ceil(left));
}

/** Runs straight to 0.85 at the median, then ever slower towards 1: half of all renders come later. */
function fractionByClock(rendering: Rendering): number {
  const ratio = positive(rendering.elapsedSeconds, 0) / medianOf(rendering);
  return ratio <= 1 ? 0.85 * ratio : 1 - 0.15 * Math.exp(1 - ratio);
}

function fractionTold({ providerProgress }: Rendering): number | undefined {
  if (providerProgress === undefined || !Number.isFinite(providerProgress)) return undefined;
  return clamp(providerProgress, 0, 100) / 100;
}

function medianOf({ medianSeconds }: Rendering): number {
  return positive(medianSeconds, USUAL_RENDER_SECONDS);
}

function positive(value: number, otherwise: number): number {
  return Number.isFinite(value) && value > 0 ? value : otherwise;
}

function clamp(value: number, low: number, high: number): number {
  return Number.isNaN(value) ? low : Math.min(Math.max(value, low), high);
}
