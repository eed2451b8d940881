import { z } from "zod";
import type { Caller } from "./credentials.ts";
import { INNER_KEYS, type SupabaseApis } from "./supabase.ts";
import type { Tokens } from "./tokens.ts";

/** Addresses a mail client or a browser opens, which can't send an API key. */
export const OPEN_AUTH_PATHS = ["/auth/v1/verify", "/auth/v1/callback", "/auth/v1/authorize"];

const sessionSchema = z.looseObject({
  access_token: z.string(),
  user: z.looseObject({
    phone: z.string().nullish(),
    app_metadata: z.unknown(),
    user_metadata: z.unknown(),
    is_anonymous: z.boolean().default(false),
  }),
});

/** Passes a request of `caller` to the REST or auth API, with the keys and tokens those know. */
export async function forward(
  apis: SupabaseApis,
  tokens: Tokens,
  request: Request,
  caller: Caller,
): Promise<Response> {
  const headers = new Headers(request.headers);
  headers.delete("authorization");
  const secret = caller.role === "service_role" && caller.claims === null;
  headers.set("apikey", secret ? INNER_KEYS.secret : INNER_KEYS.publishable);
  if (caller.claims) headers.set("authorization", `Bearer ${await tokens.inner(caller.claims)}`);
  const url = new URL(request.url);
  url.searchParams.delete("apikey");
  const response = await apis.fetch(
    new Request(url, {
      method: request.method,
      headers,
      body: request.body,
      redirect: "manual",
    }),
  );
  return url.pathname.startsWith("/auth/v1/") ? await withOuterTokens(response, tokens) : response;
}

/**
 * The answers of sign-up, sign-in, refresh and verify hold an access token: in the body or in a
 * redirect.
 */
async function withOuterTokens(response: Response, tokens: Tokens): Promise<Response> {
  const location = response.headers.get("location");
  if (location?.includes("access_token=")) return await redirected(response, location, tokens);
  if (!response.headers.get("content-type")?.includes("application/json")) return response;
  const body: unknown = await response.json();
  const session = sessionSchema.safeParse(body);
  const answer = session.success
    ? { ...session.data, access_token: await outerToken(session.data, tokens) }
    : body;
  const headers = new Headers(response.headers);
  headers.delete("content-length");
  return new Response(JSON.stringify(answer), { status: response.status, headers });
}

/** With the claims about the user that hosted tokens hold and the library's lack. */
async function outerToken(
  { access_token, user }: z.infer<typeof sessionSchema>,
  tokens: Tokens,
): Promise<string> {
  const { app_metadata = {}, user_metadata = {}, is_anonymous, phone } = user;
  return await tokens.outer(access_token, {
    ...{ app_metadata, user_metadata, is_anonymous, phone: phone ?? "", aal: "aal1" },
  });
}

async function redirected(response: Response, location: string, tokens: Tokens): Promise<Response> {
  const [address = "", fragment = ""] = location.split("#", 2);
  const params = new URLSearchParams(fragment);
  const token = params.get("access_token");
  if (token) params.set("access_token", await tokens.outer(token));
  const headers = new Headers(response.headers);
  headers.set("location", `${address}#${params}`);
  return new Response(response.body, { status: response.status, headers });
}
