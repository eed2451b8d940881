import { createLocalJWKSet, errors, importJWK, type JWTPayload, jwtVerify, SignJWT } from "jose";
import { publicJwks, type StackKeys } from "./keys.ts";

/** The claims of a verified access token; `role` is the database role it stands for. */
export type Claims = JWTPayload & { readonly role: string };

/** A token that this stack did not sign, or whose time is over. */
export class InvalidTokenError extends Error {
  override readonly name = "InvalidTokenError";
  constructor(readonly reason: "expired" | "invalid", cause: unknown) {
    super(reason === "expired" ? "JWT expired" : "Invalid JWT", { cause });
  }
}

/**
 * Translates between the two kinds of access tokens. Outside, as at hosted Supabase: ES256 with a
 * `kid` that the JWKS knows. Inside, for the auth service behind the gateway: HS256.
 */
export interface Tokens {
  /** The claims of an outer token. Throws `InvalidTokenError`. */
  verify(token: string): Promise<Claims>;
  /** An inner token with the given claims, for a caller whose outer token was verified. */
  inner(claims: Claims): Promise<string>;
  /** The outer token for an inner one, with `more` claims. Throws `InvalidTokenError`. */
  outer(innerToken: string, more?: JWTPayload): Promise<string>;
}

/** `issuer` is the public address of the auth service, `<url>/auth/v1`. */
export async function createTokens(keys: StackKeys, issuer: string): Promise<Tokens> {
  const inner = new TextEncoder().encode(keys.innerSecret);
  const signingKey = await importJWK(keys.signingKey, "ES256");
  const jwks = createLocalJWKSet(publicJwks(keys));
  return {
    async verify(token) {
      const { payload } = await explain(jwtVerify(token, jwks, { algorithms: ["ES256"] }));
      const role = payload["role"];
      return { ...payload, role: typeof role === "string" ? role : "anon" };
    },
    async inner(claims) {
      return await new SignJWT(claims).setProtectedHeader({ alg: "HS256", typ: "JWT" }).sign(inner);
    },
    async outer(innerToken, more = {}) {
      const { payload } = await explain(jwtVerify(innerToken, inner, { algorithms: ["HS256"] }));
      return await new SignJWT({ ...payload, ...more, iss: issuer })
        .setProtectedHeader({ alg: "ES256", typ: "JWT", kid: keys.signingKey.kid })
        .sign(signingKey);
    },
  };
}

async function explain<T>(verification: Promise<T>): Promise<T> {
  try {
    return await verification;
  } catch (error) {
    throw new InvalidTokenError(error instanceof errors.JWTExpired ? "expired" : "invalid", error);
  }
}
