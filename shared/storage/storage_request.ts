/** A call of Supabase Storage that asks and answers in JSON, over plain fetch with the secret key. */
import { secretHeaders, type SupabaseConfig } from "../config.ts";
import { readRefusal, StorageError } from "./object_store.ts";

/** A worker asks again later, and an app gives up after half a minute or so. Milliseconds. */
const TIMEOUT_MS = 20_000;

/** What is asked of Storage's objects. */
export interface StorageRequest {
  readonly method: "POST" | "DELETE";
  /** Below /object/: "sign/videos". */
  readonly path: string;
  readonly body: unknown;
  /** How long Storage may take, where 20 s are too much. */
  readonly timeoutMs?: number;
}

/**
 * Answers the JSON, null where there is none. Throws where Storage does not answer, StorageError where
 * it refuses.
 */
export async function askStorage(
  { url, secretKey }: SupabaseConfig,
  { method, path, body, timeoutMs = TIMEOUT_MS }: StorageRequest,
): Promise<unknown> {
  const response = await fetch(`${url}/storage/v1/object/${path}`, {
    method,
    headers: { ...secretHeaders(secretKey), "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (response.ok) return await response.json().catch(() => null);
  const { status } = readRefusal(response.status, await response.text());
  throw new StorageError(status, `Storage answered ${status}`);
}
