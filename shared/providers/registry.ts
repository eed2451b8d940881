/** From the list of known providers to those that are switched on, and to everyone's models. */
import { ConfigError, type ProviderConfig, providerConfig } from "../config.ts";
import type { Maker } from "../domain/market.ts";
import type { ModelSpec } from "../domain/models.ts";
import type { Env } from "../runtime.ts";
import * as known from "./known.ts";
import type { VideoProvider } from "./provider.ts";

/** How a provider joins: what it can make, and how it is set up. */
export interface ProviderEntry {
  /** What it can make. Imports its table when it is called: most calls of the doors need none. */
  readonly models: () => Promise<readonly ModelSpec[]>;
  /**
   * The provider with these settings. Makes no call and opens no connection. Imports its adapter when
   * it is called: the doors ask for models only, and are to start without everybody's clients.
   */
  readonly open: (config: ProviderConfig) => Promise<VideoProvider>;
}

/** The name of a provider that this build knows. */
export type ProviderName = keyof typeof known;

/** Reads the entry of a provider. */
export type LoadProvider = () => Promise<ProviderEntry>;
/**
 * Providers by name. Its row in app.providers has the same one, and its variables begin with it
 * (`<NAME>_API_KEY`). None is read before it is needed: to queue a rhyme takes their names only.
 */
export type KnownProviders = Readonly<Record<string, LoadProvider>>;

/**
 * Every provider that has a key, by name. Throws ConfigError for settings that cannot be used, and
 * when no provider has a key, since a worker without providers would look healthy and do nothing.
 */
export async function createProviders(
  env: Env,
  from: KnownProviders = known,
): Promise<ReadonlyMap<string, VideoProvider>> {
  const opened = Object.entries(from).map(async ([name, load]) => {
    const config = settingsOf(name, env);
    return config && [name, await (await load()).open(config)] as const;
  });
  const providers = new Map((await Promise.all(opened)).filter((one) => one !== undefined));
  if (providers.size > 0) return providers;
  throw new ConfigError("RUNWARE_API_KEY", "is not set, and neither is any other provider's key");
}

/** The models of a provider, whether it is switched on or not; none where it is unknown. */
export async function modelsOf(
  provider: string,
  from: KnownProviders = known,
): Promise<readonly ModelSpec[]> {
  const entry = Object.hasOwn(from, provider) ? await from[provider]?.() : undefined;
  return await entry?.models() ?? [];
}

/**
 * Throws ConfigError where a provider's settings cannot be used: at startup rather than on the first
 * request.
 */
export function checkSettings(env: Env): void {
  for (const name of Object.keys(known)) settingsOf(name, env);
}

/** The providers that have a key, and what they can make; without their clients. Throws ConfigError. */
export async function makersOf(
  env: Env,
  from: KnownProviders = known,
): Promise<Maker[]> {
  const ready = Object.entries(from).filter(([name]) => settingsOf(name, env) !== undefined);
  return await Promise.all(
    ready.map(async ([name, load]) => ({ name, models: await (await load()).models() })),
  );
}

function settingsOf(name: string, env: Env): ProviderConfig | undefined {
  return providerConfig(env, name.toUpperCase());
}
