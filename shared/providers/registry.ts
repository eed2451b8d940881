/** The providers this build knows. A new one is a folder and a line in each of the two lists below. */
import type { VideoProvider } from "./provider.ts";
import { createRunwareProvider, type RunwareConfig } from "./runware/adapter.ts";

/** Settings of each provider; one without settings is switched off. */
export interface ProvidersConfig {
  readonly runware?: RunwareConfig;
}

const known: readonly ((config: ProvidersConfig) => VideoProvider | undefined)[] = [
  ({ runware }) => runware && createRunwareProvider(runware),
];

/** Every provider that has settings, by name. Makes no call and opens no connection. */
export function createProviders(config: ProvidersConfig): ReadonlyMap<string, VideoProvider> {
  const providers = known.map((create) => create(config)).filter((one) => one !== undefined);
  return new Map(providers.map((provider) => [provider.name, provider]));
}
