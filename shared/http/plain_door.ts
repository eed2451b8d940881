/**
 * What every edge function has in common: a request id, one form of error, one log line a call. The
 * functions themselves only say what they do. Imports next to nothing, so that it starts at once.
 */
import { ConfigError } from "../config.ts";
import { createLog, type Log } from "../log.ts";
import type { ErrorAnswer } from "./error_answer.ts";
import { HttpError, internalError } from "./http_error.ts";

/** What a handler is given beside the request. */
export interface PlainVisit {
  readonly requestId: string;
  readonly log: Log;
}

/** What doors are called with. */
export type Method = "GET" | "POST";
/** What stands behind a door. */
export type Handler<V extends PlainVisit> = (request: Request, visit: V) => Promise<Response>;

/** What an edge function exports. */
export interface EdgeFunction {
  fetch(request: Request): Promise<Response>;
}

/** What our apps send, and what supabase-js 2 adds: a browser asks about each before it calls. */
const APP_HEADERS = [
  ...["authorization", "x-client-info", "apikey", "content-type", "idempotency-key"],
  ...["last-event-id", "x-region", "x-retry-count", "traceparent", "tracestate", "baggage"],
];

const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": APP_HEADERS.join(", "),
  "access-control-allow-methods": "GET, POST, OPTIONS",
  "access-control-expose-headers": "x-request-id, retry-after",
};

/** A door without authentication: the handler decides who may call. */
export function plainDoor(
  name: string,
  methods: readonly Method[],
  handler: Handler<PlainVisit>,
): EdgeFunction {
  return {
    async fetch(request) {
      if (request.method === "OPTIONS") return new Response(null, { status: 204, headers: CORS });
      const requestId = crypto.randomUUID();
      const started = performance.now();
      const log = createLog({ function: name, request_id: requestId });
      let response: Response;
      try {
        if (!methods.some((method) => method === request.method)) {
          throw new HttpError(405, "method_not_allowed", `Use ${methods.join(" or ")}`, {
            headers: { allow: methods.join(", ") },
          });
        }
        response = await handler(request, { requestId, log });
      } catch (error) {
        response = errorResponse(error, requestId, log);
      }
      response.headers.set("x-request-id", requestId);
      for (const [header, value] of Object.entries(CORS)) response.headers.set(header, value);
      log.info("answered", {
        status: response.status,
        milliseconds: Math.round(performance.now() - started),
      });
      return response;
    },
  };
}

function errorResponse(error: unknown, requestId: string, log: Log): Response {
  const known = error instanceof HttpError ? error : internalError(error);
  if (known.status >= 500) {
    const cause = known.cause ?? error;
    log.error(cause instanceof ConfigError ? "The configuration is incomplete" : "Failed", {
      error: cause,
      stack: cause instanceof Error ? cause.stack : undefined,
    });
  }
  return Response.json(
    {
      success: false,
      error: known.message,
      code: known.code,
      ...(known.extra.details === undefined ? {} : { details: known.extra.details }),
      request_id: requestId,
    } satisfies ErrorAnswer,
    { status: known.status, ...(known.extra.headers ? { headers: known.extra.headers } : {}) },
  );
}
