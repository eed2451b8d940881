import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

/** Answers one request; the path is without its query. */
export type Serve = (
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
) => Promise<void>;

/**
 * A server on 127.0.0.1. It is Node's and not `Deno.serve`, because only here can a connection be
 * closed without an answer, which is what a lost acknowledgement is.
 */
export function makeServer(serve: Serve): Server {
  const server = createServer((request, response) => {
    serve(request, response, pathOf(request)).catch((error: unknown) => {
      // A client that hangs up in the middle is no fault of ours; anything else is.
      if (request.destroyed || response.destroyed) return;
      console.error("The sandbox failed at %s %s", request.method, request.url, error);
      response.statusCode = 500;
      response.end();
    });
  });
  // A client must not meet a connection that we close while it sends: that would be a lost ack
  // which nobody asked for.
  server.keepAliveTimeout = 0;
  return server;
}

/** Listens on 127.0.0.1; resolves with the port. @throws when the port is taken. */
export function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address ? address.port : port);
    });
  });
}

/** Stops listening and closes every connection. */
export function shut(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** The path of a request, without its query. */
export function pathOf(request: IncomingMessage): string {
  return new URL(request.url ?? "/", "http://sandbox").pathname;
}
