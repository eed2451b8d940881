/** The parts of Supabase Storage's API that tidy up and hand out, over plain fetch with the secret key. */
import { z } from "zod";
import { secretHeaders } from "../config.ts";
import { readRefusal, StorageError } from "./object_store.ts";

/** What workers ask of Storage beside storing. */
export interface StorageApi {
  /** Deletes these objects; missing ones are ignored. Throws StorageError. */
  remove(bucket: string, names: readonly string[]): Promise<void>;
  /** A link under which anyone may read the object for so many seconds. Throws StorageError. */
  signedUrl(bucket: string, name: string, seconds: number): Promise<string>;
}

/** Storage that does not answer is asked again later. Milliseconds. */
const TIMEOUT_MS = 20_000;
/** A submitter signs while it holds attempts, whose lease has to last for the provider's call as well. */
const SIGN_TIMEOUT_MS = 10_000;

const signed = z.object({ signedURL: z.string().startsWith("/") });

/** Storage at a Supabase project. */
export function createStorageApi(
  { url, secretKey }: { url: string; secretKey: string },
): StorageApi {
  async function ask(
    method: string,
    path: string,
    body: unknown,
    timeoutMs = TIMEOUT_MS,
  ): Promise<unknown> {
    const response = await fetch(`${url}/storage/v1/object/${path}`, {
      method,
      headers: {
        ...secretHeaders(secretKey),
        "content-type": "application/json",
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (response.ok) return await response.json().catch(() => null);
    const { status } = readRefusal(response.status, await response.text());
    throw new StorageError(status, `Storage answered ${status}`);
  }

  return {
    async remove(bucket, names) {
      await ask("DELETE", encodeURIComponent(bucket), { prefixes: names });
    },
    async signedUrl(bucket, name, seconds) {
      const path = `sign/${encodeURIComponent(bucket)}/${
        name.split("/").map(encodeURIComponent).join("/")
      }`;
      const { signedURL } = signed.parse(
        await ask("POST", path, { expiresIn: seconds }, SIGN_TIMEOUT_MS),
      );
      return `${url}/storage/v1${signedURL}`;
    },
  };
}
