/** Who a request's access token belongs to. */
// By parts: the whole of jose has encryption too, and is read on each cold start.
import { createLocalJWKSet } from "jose/jwks/local";
import { jwtVerify } from "jose/jwt/verify";
import { z } from "zod";
import { type Env, env } from "../runtime.ts";

/** What the token says, or the HTTP status with which it is refused, and why. */
export type TokenVerdict =
  | { readonly userId: string }
  | { readonly refused: number; readonly cause?: unknown };

const userClaims = z.object({ sub: z.string().min(1), role: z.literal("authenticated") });
const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) });

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
  const user = userClaims.safeParse(data.jwtClaims);
  return user.success ? { userId: user.data.sub } : { refused: 401 };
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
    return userClaims.parse(payload).sub;
  } catch {
    return undefined;
  }
}

type Keys = ReturnType<typeof createLocalJWKSet>;

let latest: { readonly text: string; readonly keys: Keys } | undefined;

/** Read once per isolate: a key set imports each of its keys on first use, and keeps it. */
function keysOf(text: string): Keys {
  if (latest?.text !== text) {
    latest = { text, keys: createLocalJWKSet(keySet.parse(JSON.parse(text))) };
  }
  return latest.keys;
}
