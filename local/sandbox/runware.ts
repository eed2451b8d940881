/**
 * The Runware sandbox: a stand-in for Runware's API on a laptop. It speaks REST and WebSocket,
 * renders nothing and charges nobody, keeps the rules of the real API and breaks them on demand.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Control } from "./runware/control.ts";
import { CONTROL_PATH, isControlPath } from "./control_http.ts";
import { serveControl } from "./runware/control_http.ts";
import type { KnobChanges } from "./runware/knobs.ts";
import { serveMedia } from "./runware/media.ts";
import { Parts } from "./runware/parts.ts";
import { serveRest } from "./runware/rest.ts";
import { listen, makeServer, pathOf, shut } from "./server.ts";
import { SocketDoor } from "./runware/websocket.ts";

export type { Control, SandboxView } from "./runware/control.ts";
export { KnobError } from "./knob_error.ts";
export { DEFAULT_KNOBS, type Fault, type KnobChanges, type Knobs } from "./runware/knobs.ts";
export type { RequestFault, RequestScope } from "./runware/knobs.ts";
export type { SandboxCounts, SandboxState, TaskState } from "./runware/record.ts";

/** The only key the sandbox takes, unless another one is given. */
export const SANDBOX_API_KEY = "runware-sandbox-key";

/** How to start a sandbox. */
export interface RunwareSandboxOptions {
  /** Port on 127.0.0.1; by default any that is free. */
  readonly port?: number;
  /** The key that is taken; {@linkcode SANDBOX_API_KEY} by default. */
  readonly apiKey?: string;
  /** All that is random follows from it: the same seed and ids, the same videos and faults. */
  readonly seed?: string | number;
  /** Knobs that are turned from the start; a reset goes back to them. */
  readonly knobs?: KnobChanges;
  /**
   * Epoch milliseconds. With it, time stands still unless this clock moves: what is due happens
   * with the next request, `control.tick()` or `control.advance(ms)`.
   */
  readonly now?: () => number;
  /** Base of result URLs where the sandbox is not reached at its own, e.g. behind a proxy. */
  readonly mediaUrl?: string;
}

/** A running sandbox. */
export interface RunwareSandbox {
  /** For `RUNWARE_URL`: `http://127.0.0.1:<port>/v1`. */
  readonly url: string;
  /** For `@runware/sdk-js`: `ws://127.0.0.1:<port>/v1`. */
  readonly wsUrl: string;
  /** `http://127.0.0.1:<port>/__sandbox`. */
  readonly controlUrl: string;
  readonly port: number;
  readonly apiKey: string;
  /** The same levers as at `controlUrl`, for code in this process. */
  readonly control: Control;
  /** Closes every connection and leaves no timer behind. */
  close(): Promise<void>;
}

/**
 * Starts a sandbox.
 *
 * @throws {KnobError} when `knobs` name an unknown knob or a wrong value.
 * @throws when the port is taken.
 */
export async function startRunwareSandbox(
  options: RunwareSandboxOptions = {},
): Promise<RunwareSandbox> {
  let mediaUrl = options.mediaUrl ?? "";
  const parts = new Parts({
    apiKey: options.apiKey ?? SANDBOX_API_KEY,
    seed: String(options.seed ?? "gemreel"),
    knobs: options.knobs,
    now: options.now,
    mediaUrl: () => mediaUrl,
  });
  const control = new Control(parts);
  const sockets = new SocketDoor(parts);
  const server = makeServer((request, response, path) => route(request, response, path));
  server.on("upgrade", (request, socket, head) => {
    if (pathOf(request) === "/v1") sockets.accept(request, socket, head);
    else socket.destroy();
  });
  const port = await listen(server, options.port ?? 0);
  const base = `127.0.0.1:${port}`;
  mediaUrl ||= `http://${base}/media`;

  function route(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    if (path === "/v1") return serveRest(parts, request, response);
    if (path.startsWith("/media/")) {
      return serveMedia(parts, path.slice("/media/".length), request, response);
    }
    if (isControlPath(path)) {
      return serveControl(control, path, request, response);
    }
    response.writeHead(404, { "content-type": "application/json" });
    response.end(JSON.stringify({ error: `There is nothing at "${path}"`, allowed: PATHS }));
    return Promise.resolve();
  }

  return {
    url: `http://${base}/v1`,
    wsUrl: `ws://${base}/v1`,
    controlUrl: `http://${base}${CONTROL_PATH}`,
    port,
    apiKey: parts.apiKey,
    control,
    close: async () => {
      parts.close();
      sockets.close();
      await shut(server);
    },
  };
}

const PATHS = ["POST /v1", "GET /media/<videoUUID>.mp4", `GET ${CONTROL_PATH}/`];
