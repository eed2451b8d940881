/**
 * The video models the sandbox knows: read from Runware's model pages on their own, not from the
 * table of our client, so that a mistake in one of the two shows.
 *
 * Prices marked "guess" are not published in a form that could be read; they are of the right size.
 */
import type { Model } from "./model.ts";
import { KLING } from "./models/kling.ts";
import { MINIMAX } from "./models/minimax.ts";
import { OTHERS } from "./models/others.ts";
import { PIXVERSE } from "./models/pixverse.ts";
import { SEEDANCE } from "./models/seedance.ts";
import { VEO } from "./models/veo.ts";
import { VIDU } from "./models/vidu.ts";

const ALL = [...PIXVERSE, ...KLING, ...SEEDANCE, ...VEO, ...MINIMAX, ...VIDU, ...OTHERS];

/** Every model the sandbox knows, by AIR id. */
export const MODELS: ReadonlyMap<string, Model> = new Map(ALL.map((model) => [model.air, model]));
