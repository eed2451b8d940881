/**
 * Where a stack's notifications go: to the sandbox, or by the channels of the developer's
 * environment.
 */
import type { Cleanups } from "./cleanups.ts";
import { startOnFreePort, USUAL_PORTS } from "./ports.ts";
import type { NotifySandbox } from "./sandbox/notify.ts";
import type { StackOptions } from "./stack_options.ts";

/** The variable that says whether a channel is set up, and how all of that channel begin. */
const CHANNELS = [
  { prefix: "FCM_", decides: "FCM_SERVICE_ACCOUNT" },
  { prefix: "WEB_PUSH_", decides: "WEB_PUSH_PRIVATE_KEY" },
  { prefix: "APP_WEBHOOK_", decides: "APP_WEBHOOK_URL" },
] as const;

type Variables = Readonly<Record<string, string>>;

/** Starts the sandbox, unless every channel is the real one. It is loaded only then. */
export async function chooseNotify(
  options: StackOptions,
  env: Variables,
  cleanups: Cleanups,
): Promise<NotifySandbox | null> {
  if (CHANNELS.every(({ decides }) => env[decides])) return null;
  const { startNotifySandbox } = await import("./sandbox/notify.ts");
  const sandbox = await startOnFreePort(
    // Beside the providers' ports, which go up by ten.
    options.sandboxPort === 0 ? 0 : (options.sandboxPort ?? USUAL_PORTS.sandbox) + 5,
    (port) => startNotifySandbox({ port }),
  );
  cleanups.add(() => sandbox.close());
  return sandbox;
}

/** The sandbox's variables of the channels that the developer has not set up. */
export function notifyEnv(sandbox: NotifySandbox | null, env: Variables): Variables {
  const own = CHANNELS.filter(({ decides }) => env[decides]).map(({ prefix }) => prefix);
  const pairs = Object.entries(sandbox?.env ?? {});
  return Object.fromEntries(pairs.filter(([name]) => !own.some((one) => name.startsWith(one))));
}
