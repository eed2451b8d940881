import type { ServerResponse } from "node:http";

/** What a request comes to. */
export type Reply =
  | {
    readonly kind: "answer";
    readonly status: number;
    readonly body?: unknown;
    readonly headers?: Readonly<Record<string, string>>;
  }
  /** A page of HTML where JSON was expected, as a proxy in between may send. */
  | { readonly kind: "page" }
  /** The connection is closed without an answer. */
  | { readonly kind: "drop" }
  /** No answer ever comes. */
  | { readonly kind: "silence" };

/** An answer with a status and a JSON body. */
export function answer(status: number, body?: unknown, headers?: Record<string, string>): Reply {
  return {
    kind: "answer",
    status,
    ...(body !== undefined && { body }),
    ...(headers && { headers }),
  };
}

/** Writes the reply. */
export function send(reply: Reply, response: ServerResponse): void {
  switch (reply.kind) {
    case "answer":
      response.writeHead(reply.status, {
        ...(reply.body === undefined ? {} : { "content-type": "application/json" }),
        ...reply.headers,
      });
      response.end(reply.body === undefined ? undefined : JSON.stringify(reply.body));
      return;
    case "page":
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
      response.end("<!doctype html><title>Sandbox</title><h1>This is not JSON</h1>");
      return;
    case "drop":
      response.socket?.destroy();
      return;
    case "silence":
      // The connection stays open until the client gives up or the sandbox closes.
      return;
  }
}
