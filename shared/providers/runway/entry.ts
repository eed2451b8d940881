/** Runway's place in the registry. */
import type { ProviderEntry } from "../registry.ts";

/** RUNWAY_API_KEY switches it on; RUNWAY_URL points it at a sandbox. */
export const runway: ProviderEntry = {
  models: async () => (await import("./models.ts")).runwayModels,
  async open(config) {
    const { createRunwayProvider } = await import("./adapter.ts");
    return createRunwayProvider(config);
  },
};
