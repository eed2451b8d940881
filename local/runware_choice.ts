import { startOnFreePort, USUAL_PORTS } from "./ports.ts";
import type { startRunwareSandbox } from "./sandbox/runware.ts";
import type { StackOptions } from "./stack_options.ts";

/** A running sandbox. */
export type RunwareSandbox = Awaited<ReturnType<typeof startRunwareSandbox>>;

/** How the sandbox behaves. */
export type RunwareSandboxOptions = NonNullable<Parameters<typeof startRunwareSandbox>[0]>;

/** Which Runware the functions talk to. */
export interface RunwareChoice {
  readonly url: string;
  readonly apiKey: string;
  readonly sandbox: RunwareSandbox | null;
  /** Whether its webhooks can arrive: a laptop has no public address. */
  readonly canReachUs: boolean;
}

const REAL_URL = "https://api.runware.ai/v1";

/** RUNWARE_API_KEY in `env` means the real Runware; without it a sandbox is started. */
export async function chooseRunware(
  options: StackOptions,
  env: Readonly<Record<string, string>>,
): Promise<RunwareChoice> {
  const apiKey = env["RUNWARE_API_KEY"];
  if (apiKey) {
    const url = env["RUNWARE_URL"] || REAL_URL;
    return { url, apiKey, sandbox: null, canReachUs: false };
  }
  // Only loaded where it is wanted.
  const { startRunwareSandbox } = await import("./sandbox/runware.ts");
  const sandbox = await startOnFreePort(
    options.sandboxPort ?? USUAL_PORTS.sandbox,
    (port) => startRunwareSandbox({ port, ...options.sandbox }),
  );
  return { url: sandbox.url, apiKey: sandbox.apiKey, sandbox, canReachUs: true };
}
