/** A request that a runtime must not repeat on its own. */

/**
 * The body of a call that buys something, so that it leaves at most once. Deno's fetch sends a request
 * again by itself when a kept connection is closed before the answer comes, whatever the method, and
 * at a provider without ids of ours that would be a second purchase. It cannot do so with a body that
 * is read as it is sent, which a Blob is; unlike a bare stream, a Blob still has a content-length.
 * Measured with Deno 2.9; a test holds it.
 */
export function sentOnce(json: unknown): Blob {
  return new Blob([JSON.stringify(json)], { type: "application/json" });
}

/**
 * Whether a call failed before a connection was there, so that nothing can have been sent. Deno says so
 * in words only ("client error (Connect): tcp connect error …"): in the message (2.1) or in that of its
 * cause (2.9); a test holds it. Only to be believed of a body that is sent once.
 */
export function neverConnected(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.message.includes("client error (Connect)") || neverConnected(error.cause);
}
