/** KIE's place in the registry. */
import type { ProviderEntry } from "../registry.ts";

/** KIE_API_KEY switches it on; KIE_URL points it at a sandbox. */
export const kie: ProviderEntry = {
  models: async () => (await import("./models.ts")).kieModels,
  async open(config) {
    const { createKieProvider } = await import("./adapter.ts");
    return createKieProvider(config);
  },
};
