/** Access tokens of Google for a service account: a signed JWT is exchanged for one, which is kept. */
import { importPKCS8, SignJWT } from "jose";
import { z } from "zod";
import { type Answer, NO_ANSWER, post } from "./request.ts";

/** What is needed of a service account's key file. */
export interface ServiceAccount {
  readonly project_id: string;
  readonly client_email: string;
  /** PKCS #8, PEM. */
  readonly private_key: string;
  readonly token_uri: string;
}

/** Hands out tokens. */
export interface TokenSource {
  /** A token, or the answer that was no token. Callers at the same time share one request. */
  get(): Promise<{ readonly token: string } | { readonly problem: Answer }>;
  /** Forgets the token at hand: somebody refused it. */
  forget(token: string): void;
}

const SCOPE = "https://www.googleapis.com/auth/firebase.messaging";
/** A token is not used in its last minute, in which a request would outlive it. */
const MARGIN_MS = 60_000;

const granted = z.object({ access_token: z.string().min(1), expires_in: z.number().positive() });

/** https://developers.google.com/identity/protocols/oauth2/service-account#httprest */
export function tokenSource(account: ServiceAccount, now: () => number = Date.now): TokenSource {
  let kept: { token: string; until: number } | undefined;
  let asking: ReturnType<TokenSource["get"]> | undefined;

  const ask: TokenSource["get"] = async () => {
    const answer = await post(account.token_uri, {
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({
        grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
        assertion: await assertion(account, now()),
      }).toString(),
    });
    const grant = answer.status === 200 ? granted.safeParse(parsed(answer.text)) : undefined;
    if (!grant?.success) return { problem: answer.status === 200 ? NO_ANSWER : answer };
    const { access_token: token, expires_in } = grant.data;
    kept = { token, until: now() + expires_in * 1_000 - MARGIN_MS };
    return { token };
  };

  return {
    get() {
      if (kept !== undefined && now() < kept.until) return Promise.resolve({ token: kept.token });
      return asking ??= ask().finally(() => asking = undefined);
    },
    forget(token) {
      if (kept?.token === token) kept = undefined;
    },
  };
}

async function assertion(account: ServiceAccount, now: number): Promise<string> {
  const seconds = Math.floor(now / 1_000);
  return await new SignJWT({ scope: SCOPE })
    .setProtectedHeader({ alg: "RS256", typ: "JWT" })
    .setIssuer(account.client_email)
    .setAudience(account.token_uri)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + 3_600)
    .sign(await importPKCS8(account.private_key, "RS256"));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
