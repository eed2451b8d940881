/** Runway's place in the registry. */
import { providerConfig } from "../../config.ts";
import type { ProviderEntry } from "../registry.ts";
import { createRunwayProvider } from "./adapter.ts";
import { runwayModels } from "./models.ts";

/** RUNWAY_API_KEY switches it on; RUNWAY_URL points it at a sandbox. */
export const runway: ProviderEntry = {
  name: "runway",
  models: runwayModels,
  open(env) {
    const config = providerConfig(env, "RUNWAY");
    return config && createRunwayProvider(config);
  },
};
