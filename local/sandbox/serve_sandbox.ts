/** What the sandboxes of Runway and KIE are from outside: a port with an API, files and levers. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { CONTROL_PATH, isControlPath, type Levers, serveControl } from "./control_http.ts";
import { readBody } from "./read_body.ts";
import { type Reply, send } from "./reply.ts";
import { listen, makeServer, shut } from "./server.ts";

/** How to start a sandbox. */
export interface SandboxOptions<KnobChanges> {
  /** Port on 127.0.0.1; by default any that is free. */
  readonly port?: number;
  /** The only key that is taken. */
  readonly apiKey?: string;
  /** All that is random follows from it. */
  readonly seed?: string | number;
  /** Knobs that are turned from the start; a reset goes back to them. */
  readonly knobs?: KnobChanges;
  /**
   * Epoch milliseconds. With it, time stands still unless this clock moves, or `control.advance`.
   */
  readonly now?: () => number;
}

/** A running sandbox. */
export interface Sandbox<Control> {
  /** Where its API is: `http://127.0.0.1:<port>`. */
  readonly url: string;
  /** `http://127.0.0.1:<port>/__sandbox`. */
  readonly controlUrl: string;
  readonly port: number;
  readonly apiKey: string;
  /** The same levers as at `controlUrl`, for code in this process. */
  readonly control: Control;
  /** Closes every connection and leaves no timer behind. */
  close(): Promise<void>;
}

/** What is behind the port. */
export interface SandboxParts {
  readonly apiKey: string;
  /** Base of result URLs; set once the server listens. */
  mediaUrl: string;
  close(): void;
}

/** How a sandbox answers. */
export interface SandboxDoors<Control extends Levers> {
  readonly control: Control;
  /** Port on 127.0.0.1; 0: any that is free. */
  readonly port: number;
  /** Answers a request to the provider's API. */
  api(request: IncomingMessage, path: string, body: string): Promise<Reply>;
  /** Serves `/media/…`. */
  media(path: string, request: IncomingMessage, response: ServerResponse): Promise<void>;
}

/** Opens the port. Throws when it is taken. */
export async function serveSandbox<Control extends Levers>(
  parts: SandboxParts,
  { control, port: wanted, api, media }: SandboxDoors<Control>,
): Promise<Sandbox<Control>> {
  const server = makeServer(async (request, response, path) => {
    if (path.startsWith("/media/")) return media(path, request, response);
    if (isControlPath(path)) return serveControl(control, path, request, response);
    send(await api(request, path, await readBody(request) ?? ""), response);
  });
  const port = await listen(server, wanted);
  const url = `http://127.0.0.1:${port}`;
  parts.mediaUrl = `${url}/media`;
  return {
    url,
    controlUrl: `${url}${CONTROL_PATH}`,
    port,
    apiKey: parts.apiKey,
    control,
    close: async () => {
      parts.close();
      await shut(server);
    },
  };
}
