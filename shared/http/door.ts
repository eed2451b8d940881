/** Doors that know who calls: signed-in users, and callers with a secret key of ours. */
import { type AdminClient, adminClient } from "./admin_client.ts";
import { HttpError, internalError } from "./http_error.ts";
import {
  type EdgeFunction,
  type Handler,
  type Method,
  plainDoor,
  type PlainVisit,
} from "./plain_door.ts";
import { userOf } from "./user_token.ts";

export type { EdgeFunction } from "./plain_door.ts";

/** What a handler is given beside the request. */
export interface Visit extends PlainVisit {
  /** The service role's client. */
  readonly admin: () => AdminClient;
}

/** A visit by a signed-in user. */
export interface UserVisit extends Visit {
  readonly userId: string;
}

const SIGN_IN = "Sign in and send your access token";
const SEND_KEY = "Send a secret key of this project that may do this, in the apikey header";

/** A door for signed-in users: the caller is the JWT's subject, whatever the body says. */
export function userDoor(
  name: string,
  methods: readonly Method[],
  handler: Handler<UserVisit>,
): EdgeFunction {
  return adminDoor(name, methods, async (request, visit) => {
    const verdict = await userOf(request);
    if ("refused" in verdict) throw refusal(verdict.refused, SIGN_IN, verdict.cause);
    const { userId } = verdict;
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
  return adminDoor(name, methods, async (request, visit) => {
    // Brings supabase-js along, which the doors of users and providers start without.
    const { verifyAuth } = await import("@supabase/server/core");
    const { error } = await verifyAuth(request, { auth: `secret:${keyName}` });
    if (error) throw refusal(error.status, SEND_KEY, error);
    return await handler(request, visit);
  });
}

function refusal(status: number, sentence: string, cause: unknown): HttpError {
  return status === 401 ? new HttpError(401, "unauthorized", sentence) : internalError(cause);
}

function adminDoor(
  name: string,
  methods: readonly Method[],
  handler: Handler<Visit>,
): EdgeFunction {
  return plainDoor(
    name,
    methods,
    (request, visit) => handler(request, { ...visit, admin: adminClient }),
  );
}
