/**
 * The video models of Runware that we sell, with what each can do. From Runware's pages per model
 * (runware.ai/docs/models/<name>, 2026) and per vendor (runware.ai/docs/en/providers/<vendor>, 2025);
 * where the two differ the newer one counts. Prices are USD without sound, as published or as measured
 * by others; a quality without a price is one for which there is no figure. `renderSeconds` are our own
 * guesses, used until the first renders have been measured. Check an id at
 * schemas.runware.ai/resolve/<id>.
 */
import type { ModelSpec } from "../../domain/models.ts";
import { hailuoModels } from "./models/hailuo.ts";
import { klingModels } from "./models/kling.ts";
import { pixverseModels } from "./models/pixverse.ts";
import { runwayModels } from "./models/runway.ts";
import { seedanceModels } from "./models/seedance.ts";
import { veoModels } from "./models/veo.ts";
import { viduModels } from "./models/vidu.ts";

/** Every model in the table, retired ones too. */
export const runwareModels: readonly ModelSpec[] = [
  ...pixverseModels,
  ...klingModels,
  ...seedanceModels,
  ...veoModels,
  ...hailuoModels,
  ...viduModels,
  ...runwayModels,
];
