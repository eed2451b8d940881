import { importJWK, type JWTPayload, SignJWT } from "jose";
import { join } from "node:path";
import { loadKeys, type StackKeys } from "../../local/keys.ts";
import type { Stack } from "../../local/stack.ts";

/** The private keys of a running stack. */
export async function keysOf(stack: Stack): Promise<StackKeys> {
  return await loadKeys(join(stack.dataDir, "keys.json"));
}

/** An access token signed by `keys` that expires at `expires` (seconds since 1970), or never. */
export async function signToken(
  keys: StackKeys,
  claims: JWTPayload,
  expires: number | null,
): Promise<string> {
  return await new SignJWT({ ...claims, ...(expires === null ? {} : { exp: expires }) })
    .setProtectedHeader({ alg: "ES256", typ: "JWT", kid: keys.signingKey.kid })
    .sign(await importJWK(keys.signingKey, "ES256"));
}
