/**
 * The signature on KIE's callbacks, there once a webhook key was made in KIE's console: base64 of
 * HMAC-SHA256 over "<task id>.<unix seconds>" (docs.kie.ai/common-api/webhook-verification). It proves
 * who calls and about which task, and nothing of what the body says.
 */
import { parseJson } from "../answer_text.ts";
import { readEnvelope, readRecord } from "./schemas.ts";

/** How old a signed callback may be, and how far ahead its clock. KIE names no figure. */
const WINDOW_SECONDS = 300;

/** Whether a callback bears a true signature of now. Compares in constant time. */
export async function isSignedByKie(
  { headers, body, key, now }: {
    readonly headers: Headers;
    /** As it came. */
    readonly body: string;
    readonly key: string;
    /** Epoch milliseconds. */
    readonly now: number;
  },
): Promise<boolean> {
  const timestamp = headers.get("x-webhook-timestamp") ?? "";
  const signature = bytesOf(headers.get("x-webhook-signature") ?? "");
  const taskId = taskIdOf(body);
  if (taskId === undefined || signature === undefined || !/^\d{1,12}$/.test(timestamp)) {
    return false;
  }
  if (Math.abs(now / 1_000 - Number(timestamp)) > WINDOW_SECONDS) return false;
  // The platform's own comparison takes the same time for every wrong signature.
  return await crypto.subtle.verify(
    "HMAC",
    await macKey(key),
    signature,
    new TextEncoder().encode(`${taskId}.${timestamp}`),
  );
}

function macKey(key: string): Promise<CryptoKey> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const bytes = new TextEncoder().encode(key);
  return crypto.subtle.importKey("raw", bytes, algorithm, false, ["verify"]);
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  } catch {
    return undefined;
  }
}

/** Under `data` or at the root, in either spelling: the page's prose and its sample differ. */
function taskIdOf(body: string): string | undefined {
  const value = parseJson(body);
  return readRecord(readEnvelope(value)?.data)?.taskId ?? readRecord(value)?.taskId;
}
