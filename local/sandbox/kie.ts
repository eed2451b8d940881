/**
 * The KIE.AI sandbox: a stand-in for KIE's jobs API on a laptop. It renders nothing and charges
 * nobody, keeps the rules of the real API and breaks them on demand. All knobs are in kie/knobs.ts.
 */
import { answerRequest } from "./kie/api.ts";
import { KieControl } from "./kie/control.ts";
import type { KieKnobChanges } from "./kie/knobs.ts";
import { serveKieMedia } from "./kie/media.ts";
import { KieParts } from "./kie/parts.ts";
import { type Sandbox, type SandboxOptions, serveSandbox } from "./serve_sandbox.ts";

export type { KieControl, KieTaskView, KieView } from "./kie/control.ts";
export type { KieKnobChanges, KieKnobs } from "./kie/knobs.ts";

/** The only key the sandbox takes, unless another one is given. */
const KIE_SANDBOX_KEY = "kie-sandbox-key";

/** How to start a sandbox; its key is {@linkcode KIE_SANDBOX_KEY} by default. */
export type KieSandboxOptions = SandboxOptions<KieKnobChanges>;
/** A running sandbox; `url` is for `KIE_URL`. */
export type KieSandbox = Sandbox<KieControl>;

/** Starts a sandbox. Throws a KnobError for impossible knobs, and when the port is taken. */
export async function startKieSandbox(
  { port = 0, apiKey = KIE_SANDBOX_KEY, seed = "gemreel", knobs = {}, now }: KieSandboxOptions = {},
): Promise<KieSandbox> {
  const parts = new KieParts(apiKey, { seed: String(seed), knobs, now });
  return await serveSandbox(parts, {
    control: new KieControl(parts),
    port,
    api: (request, path, body) => answerRequest(parts, request, path, body),
    media: (path, request, response) => serveKieMedia(parts, path, request, response),
  });
}
