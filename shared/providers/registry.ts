/** From the list of known providers to those that are switched on, and to everyone's models. */
import { ConfigError } from "../config.ts";
import type { Maker } from "../domain/choose_model.ts";
import type { ModelSpec } from "../domain/models.ts";
import type { Env } from "../runtime.ts";
import * as known from "./known.ts";
import type { VideoProvider } from "./provider.ts";

/** How a provider joins: what it is called, what it can make, and how it is set up. */
export interface ProviderEntry {
  /** Its row in app.providers has the same name. */
  readonly name: string;
  readonly models: readonly ModelSpec[];
  /**
   * The provider as the environment sets it up; undefined where it has no key. Makes no call and opens
   * no connection. Throws ConfigError for settings that can not be used.
   */
  readonly open: (env: Env) => VideoProvider | undefined;
}

const entries: readonly ProviderEntry[] = Object.values(known);

/**
 * Every provider that has a key, by name. Throws ConfigError when none has, since a worker without
 * providers would look healthy and do nothing.
 */
export function createProviders(
  env: Env,
  from: readonly ProviderEntry[] = entries,
): ReadonlyMap<string, VideoProvider> {
  const providers = new Map<string, VideoProvider>();
  for (const { name, open } of from) {
    const provider = open(env);
    if (provider !== undefined) providers.set(name, provider);
  }
  if (providers.size > 0) return providers;
  throw new ConfigError("RUNWARE_API_KEY", "is not set, and neither is any other provider's key");
}

/** The models of a provider, whether it is switched on or not; none where it is unknown. */
export function modelsOf(
  provider: string,
  from: readonly ProviderEntry[] = entries,
): readonly ModelSpec[] {
  return from.find(({ name }) => name === provider)?.models ?? [];
}

/** The providers that have a key, and what they can make; without their clients. */
export function makersOf(env: Env, from: readonly ProviderEntry[] = entries): Maker[] {
  return from.filter(({ open }) => open(env) !== undefined)
    .map(({ name, models }) => ({ name, models }));
}
