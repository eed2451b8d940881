import type { StackKeys } from "./keys.ts";
import { type Claims, InvalidTokenError, type Tokens } from "./tokens.ts";

/** Who sends a request, as the gateway found out. */
export interface Caller {
  /** The database role the request runs as. */
  readonly role: string;
  /** Of the verified access token; null when only an API key was sent. */
  readonly claims: Claims | null;
}

/** Why a request is turned away, in the words of hosted Supabase. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
  constructor(message: string, readonly hint?: string) {
    super(message);
  }
}

/** Finds out who calls, from the headers `apikey` and `authorization`. */
export class Credentials {
  readonly #roles: ReadonlyMap<string, string>;
  readonly #tokens: Tokens;

  constructor(keys: StackKeys, tokens: Tokens) {
    this.#roles = new Map([
      [keys.publishable, "anon"],
      [keys.secret, "service_role"],
      [keys.cron, "service_role"],
    ]);
    this.#tokens = tokens;
  }

  /**
   * An API key is a must; a user's token, where there is one, decides the role. Throws
   * `RefusedError`.
   */
  async identify(request: Request): Promise<Caller> {
    const key = apiKeyOf(request);
    if (key === null) {
      throw new RefusedError(
        "No API key found in request",
        "No `apikey` request header or url param was found.",
      );
    }
    const role = this.#roles.get(key);
    if (role === undefined) {
      throw new RefusedError("Invalid API key", "Double check your Supabase `apikey`");
    }
    const claims = await this.#userClaims(request);
    return claims ? { role: claims.role, claims } : { role, claims: null };
  }

  /** Throws `RefusedError` unless the request carries the valid access token of a user. */
  async requireUser(request: Request): Promise<void> {
    if (!bearerOf(request)) throw new RefusedError("Missing authorization header");
    if (!(await this.#userClaims(request))) throw new RefusedError("Invalid JWT");
  }

  /** Null when there is no token; supabase-js repeats the API key where it has none. */
  async #userClaims(request: Request): Promise<Claims | null> {
    const bearer = bearerOf(request);
    if (!bearer || this.#roles.has(bearer)) return null;
    try {
      return await this.#tokens.verify(bearer);
    } catch (error) {
      if (error instanceof InvalidTokenError) throw new RefusedError(error.message);
      throw error;
    }
  }
}

function apiKeyOf(request: Request): string | null {
  return request.headers.get("apikey") ?? new URL(request.url).searchParams.get("apikey");
}

function bearerOf(request: Request): string | null {
  const match = /^Bearer\s+(\S+)$/i.exec(request.headers.get("authorization") ?? "");
  return match?.[1] ?? null;
}
