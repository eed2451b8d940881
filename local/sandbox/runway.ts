/**
 * The Runway sandbox: a stand-in for Runway's API on a laptop. It renders nothing and charges
 * nobody, keeps the rules of the real API and breaks them on demand. All knobs are in
 * runway/knobs.ts.
 */
import { answerRequest } from "./runway/api.ts";
import { RunwayControl } from "./runway/control.ts";
import type { RunwayKnobChanges } from "./runway/knobs.ts";
import { serveRunwayMedia } from "./runway/media.ts";
import { RunwayParts } from "./runway/parts.ts";
import { type Sandbox, type SandboxOptions, serveSandbox } from "./serve_sandbox.ts";

export type { RunwayControl, RunwayTaskView, RunwayView } from "./runway/control.ts";
export type { RunwayKnobChanges, RunwayKnobs } from "./runway/knobs.ts";

/** The only key the sandbox takes, unless another one is given. */
const RUNWAY_SANDBOX_KEY = "key_runway-sandbox";

/** How to start a sandbox; its key is {@linkcode RUNWAY_SANDBOX_KEY} by default. */
export type RunwaySandboxOptions = SandboxOptions<RunwayKnobChanges>;
/** A running sandbox; `url` is for `RUNWAY_URL` and the SDK's `baseURL`. */
export type RunwaySandbox = Sandbox<RunwayControl>;

/** Starts a sandbox. Throws a KnobError for impossible knobs, and when the port is taken. */
export async function startRunwaySandbox(
  { port = 0, apiKey = RUNWAY_SANDBOX_KEY, seed = "gemreel", knobs = {}, now }:
    RunwaySandboxOptions = {},
): Promise<RunwaySandbox> {
  const parts = new RunwayParts(apiKey, { seed: String(seed), knobs, now });
  return await serveSandbox(parts, {
    control: new RunwayControl(parts),
    port,
    api: (request, path, body) => answerRequest(parts, request, path, body),
    media: (path, request, response) => serveRunwayMedia(parts, path, request, response),
  });
}
