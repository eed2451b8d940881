/**
 * The video models of KIE that we sell, with what each can do. From the pages of docs.kie.ai/market as
 * of October 2026; prices in USD from kie.ai/pricing and from what public clients were billed; a quality
 * without a price is one for which there is no figure. Pixels are nominal: KIE takes a shape and a
 * quality. `renderSeconds` are our own guesses, used until the first renders have been measured. Sora
 * is gone from KIE's catalogue.
 */
import { hailuoModels } from "./models/hailuo.ts";
import { klingModels } from "./models/kling.ts";
import { pixverseModels } from "./models/pixverse.ts";
import { seedanceModels } from "./models/seedance.ts";
import type { KieModel } from "./models/table.ts";
import { veoModels } from "./models/veo.ts";

/** Every model in the table. */
export const kieModels: readonly KieModel[] = [
  ...veoModels,
  ...klingModels,
  ...seedanceModels,
  ...hailuoModels,
  ...pixverseModels,
];
