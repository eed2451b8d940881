/** Runware's place in the registry. */
import { providerConfig } from "../../config.ts";
import type { ProviderEntry } from "../registry.ts";
import { createRunwareProvider } from "./adapter.ts";
import { runwareModels } from "./models.ts";

/** RUNWARE_API_KEY switches it on; RUNWARE_URL points it at a sandbox. */
export const runware: ProviderEntry = {
  name: "runware",
  models: runwareModels,
  open(env) {
    const config = providerConfig(env, "RUNWARE");
    return config && createRunwareProvider(config);
  },
};
