/**
 * The Runway sandbox: a stand-in for Runway's API on a laptop. It renders nothing and charges
 * nobody, keeps the rules of the real API and breaks them on demand. All knobs are in
 * runway/knobs.ts.
 */
import { readBody } from "./read_body.ts";
import { answerRequest } from "./runway/api.ts";
import { CONTROL_PATH, RunwayControl, serveRunwayControl } from "./runway/control.ts";
import type { RunwayKnobChanges } from "./runway/knobs.ts";
import { serveRunwayMedia } from "./runway/media.ts";
import { RunwayParts } from "./runway/parts.ts";
import { send } from "./reply.ts";
import { listen, makeServer, shut } from "./server.ts";

export type { RunwayControl, RunwayTaskView, RunwayView } from "./runway/control.ts";
export type { RunwayKnobChanges, RunwayKnobs } from "./runway/knobs.ts";

/** The only key the sandbox takes, unless another one is given. */
export const RUNWAY_SANDBOX_KEY = "key_runway-sandbox";

/** How to start a sandbox. */
export interface RunwaySandboxOptions {
  /** Port on 127.0.0.1; by default any that is free. */
  readonly port?: number;
  /** The key that is taken; {@linkcode RUNWAY_SANDBOX_KEY} by default. */
  readonly apiKey?: string;
  /** All that is random follows from it. */
  readonly seed?: string | number;
  /** Knobs that are turned from the start; a reset goes back to them. */
  readonly knobs?: RunwayKnobChanges;
  /**
   * Epoch milliseconds. With it, time stands still unless this clock moves, or `control.advance`.
   */
  readonly now?: () => number;
}

/** A running sandbox. */
export interface RunwaySandbox {
  /** For `RUNWAY_URL` and the SDK's `baseURL`: `http://127.0.0.1:<port>`. */
  readonly url: string;
  /** `http://127.0.0.1:<port>/__sandbox`. */
  readonly controlUrl: string;
  readonly port: number;
  readonly apiKey: string;
  /** The same levers as at `controlUrl`, for code in this process. */
  readonly control: RunwayControl;
  /** Closes every connection and leaves no timer behind. */
  close(): Promise<void>;
}

/** Starts a sandbox. Throws a ZodError for impossible knobs, and when the port is taken. */
export async function startRunwaySandbox(
  { port: wanted = 0, apiKey = RUNWAY_SANDBOX_KEY, seed = "gemreel", knobs = {}, now }:
    RunwaySandboxOptions = {},
): Promise<RunwaySandbox> {
  const parts = new RunwayParts(apiKey, { seed: String(seed), knobs, now });
  const control = new RunwayControl(parts);
  const server = makeServer(async (request, response, path) => {
    if (path.startsWith("/media/")) return serveRunwayMedia(parts, path, request, response);
    if (path === CONTROL_PATH || path.startsWith(`${CONTROL_PATH}/`)) {
      return serveRunwayControl(control, path, request, response);
    }
    send(await answerRequest(parts, request, path, await readBody(request) ?? ""), response);
  });
  const port = await listen(server, wanted);
  const url = `http://127.0.0.1:${port}`;
  parts.mediaUrl = `${url}/media`;
  return {
    url,
    controlUrl: `${url}${CONTROL_PATH}`,
    port,
    apiKey,
    control,
    close: async () => {
      parts.close();
      await shut(server);
    },
  };
}
