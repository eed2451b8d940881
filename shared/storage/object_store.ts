/** Supabase Storage for workers: streams a file in, over plain fetch. */
import { secretHeaders } from "../config.ts";
import { freedChunks } from "./freed_chunks.ts";

/** Puts finished files away. */
export interface ObjectStore {
  /**
   * Streams a file to a path of the bucket. "exists" when there is one already: Storage shows only
   * whole objects, so that one is as good. Throws StorageError otherwise. Uses the stream up, and the
   * memory of its chunks, none of which may share a buffer with another. Where Storage answers
   * early, the stream stays open until `signal` aborts.
   */
  put(
    path: string,
    body: ReadableStream<Uint8Array>,
    options: { contentType: string; signal: AbortSignal },
  ): Promise<"stored" | "exists">;
}

/** Storage refused. `status` is HTTP's. */
export class StorageError extends Error {
  override name = "StorageError";
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

const BUCKET = "videos";

/** Storage at a Supabase project, with its secret key. */
export function createObjectStore(
  { url, secretKey }: { url: string; secretKey: string },
): ObjectStore {
  return {
    async put(path, source, { contentType, signal }) {
      const response = await fetch(`${url}/storage/v1/object/${BUCKET}/${path}`, {
        method: "POST",
        headers: {
          ...secretHeaders(secretKey),
          "content-type": contentType,
          "x-upsert": "false",
        },
        body: freedChunks(source),
        signal,
      });
      const text = await response.text();
      if (response.ok) return "stored";
      // Storage answers 400 with the real status inside, or 409, depending on its version.
      if (response.status === 409 || /"409"|Duplicate|already exists/i.test(text)) return "exists";
      throw new StorageError(response.status, `Storage answered ${response.status}`);
    },
  };
}
