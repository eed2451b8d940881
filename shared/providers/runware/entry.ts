/** Runware's place in the registry. */
import type { ProviderEntry } from "../registry.ts";

/** RUNWARE_API_KEY switches it on; RUNWARE_URL points it at a sandbox. */
export const runware: ProviderEntry = {
  models: async () => (await import("./models.ts")).runwareModels,
  async open(config) {
    const { createRunwareProvider } = await import("./adapter.ts");
    return createRunwareProvider(config);
  },
};
