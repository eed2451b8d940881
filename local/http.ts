/** Small helpers of the local HTTP servers. */

/** What Supabase lets browsers send, from any origin. */
const CORS_HEADERS: Readonly<Record<string, string>> = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS",
  "access-control-max-age": "86400",
};

const EXPOSED_HEADERS = "content-range, content-length, content-type, location, x-request-id, etag";

/** The answer to a browser's preflight question. */
export function preflight(request: Request): Response {
  const asked = request.headers.get("access-control-request-headers");
  return new Response(null, {
    status: 204,
    headers: {
      ...CORS_HEADERS,
      "access-control-allow-headers": asked ?? "authorization, apikey, content-type, x-client-info",
    },
  });
}

/** `response`, readable for browsers of any origin. */
export function withCors(response: Response): Response {
  // A WebSocket's 101 can't be made anew.
  if (response.status === 101 || response.headers.has("access-control-allow-origin")) {
    return response;
  }
  const headers = new Headers(response.headers);
  headers.set("access-control-allow-origin", "*");
  headers.set("access-control-expose-headers", EXPOSED_HEADERS);
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}

/** A JSON answer with `status`. */
export function json(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return Response.json(body, { status, headers });
}
