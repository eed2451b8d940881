/**
 * The token in a webhook's URL: HMAC-SHA256 of the video job's id. Providers sign nothing, so this is
 * what tells a real call from a forged one. Derived when needed and stored nowhere.
 */

async function hmac(secret: string, text: string): Promise<Uint8Array> {
  const encoder = new TextEncoder();
  const key = await crypto.subtle.importKey(
    "raw",
    encoder.encode(secret),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(text)));
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The token for one video job, 64 hex digits. */
export async function webhookToken(secret: string, jobId: string): Promise<string> {
  return toHex(await hmac(secret, `webhook:${jobId}`));
}

/** Whether the token belongs to this job under any of the secrets. Takes the same time either way. */
export async function isWebhookToken(
  secrets: readonly string[],
  jobId: string,
  token: string,
): Promise<boolean> {
  let matches = false;
  for (const secret of secrets) {
    const expected = await webhookToken(secret, jobId);
    let difference = expected.length ^ token.length;
    for (let i = 0; i < expected.length; i++) {
      difference |= expected.charCodeAt(i) ^ token.charCodeAt(i % Math.max(token.length, 1));
    }
    matches = matches || difference === 0;
  }
  return matches;
}

/** The address a provider is to call when this job's task ends. */
export async function webhookUrl(
  { baseUrl, secret, functionName, jobId }: {
    baseUrl: string;
    secret: string;
    functionName: string;
    jobId: string;
  },
): Promise<string> {
  return `${baseUrl}/${functionName}?job=${jobId}&token=${await webhookToken(secret, jobId)}`;
}
