/** Supabase Storage for workers: streams a file in, over plain fetch. */
import { z } from "zod";
import { secretHeaders, type SupabaseConfig } from "../config.ts";
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
export function createObjectStore({ url, secretKey }: SupabaseConfig): ObjectStore {
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
      const { status, isDuplicate } = readRefusal(response.status, text);
      if (isDuplicate) return "exists";
      throw new StorageError(status, `Storage answered ${status}`);
    },
  };
}

const refusal = z.object({
  statusCode: z.coerce.number().int().optional().catch(undefined),
  code: z.string().optional().catch(undefined),
  error: z.string().optional().catch(undefined),
});
/** A lock, or a transaction, that is lost to somebody else is a 409 as well, and no object is there. */
const duplicates = new Set(["Duplicate", "KeyAlreadyExists", "ResourceAlreadyExists"]);

/**
 * What a refusal means: Storage answers nearly all of them with HTTP 400 and the real status inside, its
 * own trouble as well (github.com/supabase/storage, src/internal/errors).
 */
export function readRefusal(
  httpStatus: number,
  text: string,
): { readonly status: number; readonly isDuplicate: boolean } {
  const { statusCode, code = "", error = "" } = refusal.safeParse(parsed(text)).data ?? {};
  return {
    status: statusCode ?? httpStatus,
    isDuplicate: duplicates.has(error) || duplicates.has(code),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
