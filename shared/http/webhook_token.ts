/**
 * The token in a webhook's URL: HMAC-SHA256 of the video job's id. Runware signs nothing and KIE only
 * on request, so this is what tells a real call from a forged one. Derived when needed and stored
 * nowhere.
 */
import { toHex } from "../hex.ts";

const encoder = new TextEncoder();
/** As many as a deployment has secrets: one, two while they are replaced. */
const keys = new Map<string, Promise<CryptoKey>>();

function keyOf(secret: string): Promise<CryptoKey> {
  const known = keys.get(secret);
  if (known !== undefined) return known;
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, ["sign"]);
  keys.set(secret, key);
  return key;
}

async function hmac(secret: string, text: string): Promise<Uint8Array> {
  const signed = await crypto.subtle.sign("HMAC", await keyOf(secret), encoder.encode(text));
  return new Uint8Array(signed);
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
