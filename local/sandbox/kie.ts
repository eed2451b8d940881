/**
 * The KIE.AI sandbox: a stand-in for KIE's jobs API on a laptop. It renders nothing and charges
 * nobody, keeps the rules of the real API and breaks them on demand. All knobs are in kie/knobs.ts.
 */
import { answerRequest } from "./kie/api.ts";
import { KieControl } from "./kie/control.ts";
import { CONTROL_PATH, serveKieControl } from "./kie/control_http.ts";
import type { KieKnobChanges } from "./kie/knobs.ts";
import { serveKieMedia } from "./kie/media.ts";
import { KieParts } from "./kie/parts.ts";
import { readBody } from "./read_body.ts";
import { send } from "./reply.ts";
import { listen, makeServer, shut } from "./server.ts";

export type { KieControl, KieTaskView, KieView } from "./kie/control.ts";
export type { KieKnobChanges, KieKnobs } from "./kie/knobs.ts";

/** The only key the sandbox takes, unless another one is given. */
export const KIE_SANDBOX_KEY = "kie-sandbox-key";

/** How to start a sandbox. */
export interface KieSandboxOptions {
  /** Port on 127.0.0.1; by default any that is free. */
  readonly port?: number;
  /** The key that is taken; {@linkcode KIE_SANDBOX_KEY} by default. */
  readonly apiKey?: string;
  /** All that is random follows from it. */
  readonly seed?: string | number;
  /** Knobs that are turned from the start; a reset goes back to them. */
  readonly knobs?: KieKnobChanges;
  /**
   * Epoch milliseconds. With it, time stands still unless this clock moves, or `control.advance`.
   */
  readonly now?: () => number;
}

/** A running sandbox. */
export interface KieSandbox {
  /** For `KIE_URL`: `http://127.0.0.1:<port>`. */
  readonly url: string;
  /** `http://127.0.0.1:<port>/__sandbox`. */
  readonly controlUrl: string;
  readonly port: number;
  readonly apiKey: string;
  /** The same levers as at `controlUrl`, for code in this process. */
  readonly control: KieControl;
  /** Closes every connection and leaves no timer behind. */
  close(): Promise<void>;
}

/** Starts a sandbox. Throws a ZodError for impossible knobs, and when the port is taken. */
export async function startKieSandbox(
  { port: wanted = 0, apiKey = KIE_SANDBOX_KEY, seed = "gemreel", knobs = {}, now }:
    KieSandboxOptions = {},
): Promise<KieSandbox> {
  const parts = new KieParts(apiKey, { seed: String(seed), knobs, now });
  const control = new KieControl(parts);
  const server = makeServer(async (request, response, path) => {
    if (path.startsWith("/media/")) return serveKieMedia(parts, path, request, response);
    if (path === CONTROL_PATH || path.startsWith(`${CONTROL_PATH}/`)) {
      return serveKieControl(control, path, request, response);
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
