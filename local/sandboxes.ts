/**
 * The providers of a stack: with `<PREFIX>_API_KEY` in the developer's environment the real one,
 * without it a sandbox. A new provider is a line in `SandboxOptions`, one in `ProviderChoices`, and what
 * starts its sandbox in `chooseProviders`.
 */
import type { ProviderName } from "../shared/providers/registry.ts";
import type { Cleanups } from "./cleanups.ts";
import { startOnFreePort, USUAL_PORTS } from "./ports.ts";
import type { KieSandbox, KieSandboxOptions } from "./sandbox/kie.ts";
import type { RunwareSandbox, RunwareSandboxOptions } from "./sandbox/runware.ts";
import type { RunwaySandbox, RunwaySandboxOptions } from "./sandbox/runway.ts";
import type { StackOptions } from "./stack_options.ts";

/** How the sandboxes behave. */
export interface SandboxOptions {
  readonly runware?: RunwareSandboxOptions;
  readonly runway?: RunwaySandboxOptions;
  readonly kie?: KieSandboxOptions;
}

/** What every sandbox has. */
interface Sandbox {
  readonly url: string;
  readonly apiKey: string;
  readonly controlUrl: string;
  close(): Promise<void>;
}

/** Which API the functions talk to under one provider's name. */
export interface Choice<S extends Sandbox = Sandbox> {
  /** As people write it. */
  readonly name: string;
  /** `RUNWARE` of RUNWARE_API_KEY: the name in capitals. */
  readonly prefix: string;
  readonly apiKey: string;
  /** Absent: the real provider, at its adapter's own address. */
  readonly url?: string;
  /** Null when the real one is used. */
  readonly sandbox: S | null;
}

/** The choice for every provider. */
export interface ProviderChoices extends Record<ProviderName, Choice> {
  readonly runware: Choice<RunwareSandbox>;
  readonly runway: Choice<RunwaySandbox>;
  readonly kie: Choice<KieSandbox>;
}

/** Chooses, and starts the sandboxes that are wanted. They are loaded only then. */
export async function chooseProviders(
  options: StackOptions,
  env: Readonly<Record<string, string>>,
  cleanups: Cleanups,
): Promise<ProviderChoices> {
  const choose = async <S extends Sandbox>(
    name: string,
    start: (port: number) => Promise<S>,
  ): Promise<Choice<S>> => {
    const prefix = name.toUpperCase();
    const { [`${prefix}_API_KEY`]: apiKey, [`${prefix}_URL`]: url } = env;
    if (apiKey) return { name, prefix, apiKey, ...(url && { url }), sandbox: null };
    const sandbox = await startOnFreePort(
      options.sandboxPort ?? USUAL_PORTS.sandbox,
      start,
    );
    cleanups.add(() => sandbox.close());
    return { name, prefix, apiKey: sandbox.apiKey, url: sandbox.url, sandbox };
  };
  return {
    runware: await choose("Runware", async (port) => {
      const { startRunwareSandbox } = await import("./sandbox/runware.ts");
      return startRunwareSandbox({ port, ...options.runware });
    }),
    runway: await choose("Runway", async (port) => {
      const { startRunwaySandbox } = await import("./sandbox/runway.ts");
      return startRunwaySandbox({ port, ...options.runway });
    }),
    kie: await choose("KIE", async (port) => {
      const { startKieSandbox } = await import("./sandbox/kie.ts");
      return startKieSandbox({ port, ...options.kie });
    }),
  };
}

/** What the functions are told about the providers. */
export function providersEnv(choices: ProviderChoices): Record<string, string> {
  const pairs = Object.values(choices).flatMap((
    { prefix, apiKey, url }: Choice,
  ) => [
    [`${prefix}_API_KEY`, apiKey],
    ...(url === undefined ? [] : [[`${prefix}_URL`, url]]),
  ]);
  return Object.fromEntries(pairs);
}

/** Then each can call us back: a sandbox needs no public address, which a laptop has not. */
export function usesSandboxesOnly(choices: ProviderChoices): boolean {
  return Object.values(choices).every(({ sandbox }: Choice) => sandbox !== null);
}
