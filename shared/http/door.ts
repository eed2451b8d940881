/**
 * What every edge function has in common: who may call, a request id, one form of error, one log
 * line a call. The functions themselves only say what they do.
 */
import { createAdminClient, verifyAuth } from "@supabase/server/core";
import type { SupabaseClient } from "@supabase/supabase-js";
import type { Database } from "../db/database.types.ts";
import { ConfigError } from "../config.ts";
import { createLog, type Log } from "../log.ts";
import { HttpError } from "./http_error.ts";

/** Supabase client with a secret key: the service role. */
export type AdminClient = SupabaseClient<Database>;

/** What a handler is given beside the request. */
export interface Visit {
  readonly requestId: string;
  readonly log: Log;
  /** The service role's client. One per isolate, made on first use. */
  readonly admin: () => AdminClient;
}

/** A visit by a signed-in user. */
export interface UserVisit extends Visit {
  readonly userId: string;
}

type Method = "GET" | "POST";
type Handler<V extends Visit> = (request: Request, visit: V) => Promise<Response>;

/** What an edge function exports. */
export interface EdgeFunction {
  fetch(request: Request): Promise<Response>;
}

const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers":
    "authorization, x-client-info, apikey, content-type, idempotency-key",
  "access-control-allow-methods": "GET, POST, OPTIONS",
  "access-control-expose-headers": "x-request-id, retry-after",
};

const SIGN_IN = "Sign in and send your access token";
const SEND_KEY = "Send a secret key of this project that may do this, in the apikey header";

/** An app gives up after half a minute or so; it is to hear from us before. Milliseconds. */
const CALL_TIMEOUT_MS = 20_000;

let adminClient: AdminClient | undefined;
const admin = () =>
  adminClient ??= createAdminClient<Database>({
    supabaseOptions: { global: { fetch: fetchInTime } },
  });

/** No word from the database is an answer too, and the caller may ask again under the same key. */
function fetchInTime(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const late = AbortSignal.timeout(CALL_TIMEOUT_MS);
  const signal = init?.signal ? AbortSignal.any([init.signal, late]) : late;
  return fetch(input, { ...init, signal });
}

/** A door for signed-in users: the caller is the JWT's subject, whatever the body says. */
export function userDoor(
  name: string,
  methods: readonly Method[],
  handler: Handler<UserVisit>,
): EdgeFunction {
  return door(name, methods, async (request, visit) => {
    const { data, error } = await verifyAuth(request, { auth: "user" });
    if (error) throw unauthorized(error.status, SIGN_IN);
    const userId = data.userClaims?.id;
    if (userId === undefined || data.userClaims?.role !== "authenticated") {
      throw unauthorized(401, SIGN_IN);
    }
    return await handler(request, { ...visit, userId, log: visit.log.with({ user_id: userId }) });
  });
}

/** A door for our own callers: the secret key of this name ("cron"), or any with "*". */
export function secretDoor(
  name: string,
  methods: readonly Method[],
  keyName: string,
  handler: Handler<Visit>,
): EdgeFunction {
  return door(name, methods, async (request, visit) => {
    const { error } = await verifyAuth(request, { auth: `secret:${keyName}` });
    if (error) throw unauthorized(error.status, SEND_KEY);
    return await handler(request, visit);
  });
}

/** A door that checks its callers itself. */
export function openDoor(
  name: string,
  methods: readonly Method[],
  handler: Handler<Visit>,
): EdgeFunction {
  return door(name, methods, handler);
}

function unauthorized(status: number, sentence: string): HttpError {
  return status === 401
    ? new HttpError(401, "unauthorized", sentence)
    : new HttpError(500, "internal_error", "Something went wrong on our side");
}

function door(name: string, methods: readonly Method[], handler: Handler<Visit>): EdgeFunction {
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
        response = await handler(request, { requestId, log, admin });
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
  const known = error instanceof HttpError
    ? error
    : new HttpError(500, "internal_error", "Something went wrong on our side", { cause: error });
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
    },
    { status: known.status, ...(known.extra.headers ? { headers: known.extra.headers } : {}) },
  );
}
