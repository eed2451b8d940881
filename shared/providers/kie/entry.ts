/** KIE's place in the registry. */
import { providerConfig } from "../../config.ts";
import type { ProviderEntry } from "../registry.ts";
import { createKieProvider } from "./adapter.ts";
import { kieModels } from "./models.ts";

/** KIE_API_KEY switches it on; KIE_URL points it at a sandbox. */
export const kie: ProviderEntry = {
  name: "kie",
  models: kieModels,
  open(env) {
    const config = providerConfig(env, "KIE");
    return config && createKieProvider(config);
  },
};
