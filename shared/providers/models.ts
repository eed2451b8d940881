/** The models of every provider, without the providers' clients: what the doors need. */
import type { ModelSpec } from "../domain/models.ts";
import { runwareModels } from "./runware/models.ts";

const models: Readonly<Record<string, readonly ModelSpec[]>> = {
  runware: runwareModels,
};

/** The models of a provider; none where the provider is unknown. */
export function modelsOf(provider: string): readonly ModelSpec[] {
  return models[provider] ?? [];
}
