/** Who a request's access token belongs to. */
// By parts: the whole of jose has encryption too, and is read on each cold start.
import { createLocalJWKSet } from "jose/jwks/local";
import { jwtVerify } from "jose/jwt/verify";
import { type Env, env } from "../runtime.ts";

/** What the token says, or the HTTP status with which it is refused, and why. */
export type TokenVerdict =
  | { readonly userId: string }
  | { readonly refused: number; readonly cause?: unknown };

/**
 * Checks the `Bearer` token against the project's signing keys. A true one is known by the keys that
 * the platform hands to functions (SUPABASE_JWKS). Every other is left to @supabase/server, which knows
 * all forms of keys and of refusals, but takes longer to load than all the rest of a function.
 */
export async function userOf(request: Request): Promise<TokenVerdict> {
  const userId = await knownUser(request, env);
  if (userId !== undefined) return { userId };
  const { verifyAuth } = await import("@supabase/server/core");
  const { data, error } = await verifyAuth(request, { auth: "user" });
  if (error) return { refused: error.status, cause: error };
  const claims = data.jwtClaims;
  // Auth signs none that is valid for ever, and @supabase/server takes one.
  const checked = claims?.exp === undefined ? undefined : userIn(claims);
  return checked === undefined ? { refused: 401 } : { userId: checked };
}

async function knownUser(request: Request, env: Env): Promise<string | undefined> {
  const token = request.headers.get("authorization")?.match(/^Bearer (\S+)$/)?.[1];
  const keys = env("SUPABASE_JWKS");
  if (token === undefined || keys === undefined) return undefined;
  try {
    const { payload } = await jwtVerify(token, keysOf(keys), {
      // Public keys only: a token signed with one of them as a shared secret is a forgery.
      algorithms: ["ES256", "RS256"],
      requiredClaims: ["exp", "sub"],
    });
    return userIn(payload);
  } catch {
    return undefined;
  }
}

/** An id as Supabase Auth gives it. Another issuer's subject may be anything, and is no user here. */
const USER_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The subject of a signed-in user's claims; undefined where they are somebody else's. */
function userIn({ sub, role }: { readonly sub?: unknown; readonly role?: unknown }) {
  return role === "authenticated" && typeof sub === "string" && USER_ID.test(sub) ? sub : undefined;
}

type Keys = ReturnType<typeof createLocalJWKSet>;

let latest: { readonly text: string; readonly keys: Keys } | undefined;

/**
 * Read once per isolate: a key set imports each of its keys on first use, and keeps it. Throws where
 * the text is no key set.
 */
function keysOf(text: string): Keys {
  if (latest?.text !== text) {
    latest = { text, keys: createLocalJWKSet(JSON.parse(text)) };
  }
  return latest.keys;
}
