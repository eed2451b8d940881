/** The parts of Supabase Storage's API that tidy up and hand out. */
import { z } from "zod";
import type { SupabaseConfig } from "../config.ts";
import { askStorage } from "./storage_request.ts";

/** What workers ask of Storage beside storing. */
export interface StorageApi {
  /** Deletes these objects; missing ones are ignored. Throws StorageError. */
  remove(bucket: string, names: readonly string[]): Promise<void>;
  /** A link under which anyone may read the object for so many seconds. Throws StorageError. */
  signedUrl(bucket: string, name: string, seconds: number): Promise<string>;
}

/** A submitter signs while it holds attempts, whose lease has to last for the provider's call as well. */
const SIGN_TIMEOUT_MS = 10_000;

const signed = z.object({ signedURL: z.string().startsWith("/") });

/** Storage at a Supabase project. */
export function createStorageApi(project: SupabaseConfig): StorageApi {
  return {
    async remove(bucket, names) {
      const path = encodeURIComponent(bucket);
      await askStorage(project, { method: "DELETE", path, body: { prefixes: names } });
    },
    async signedUrl(bucket, name, seconds) {
      const answer = await askStorage(project, {
        method: "POST",
        path: `sign/${[bucket, ...name.split("/")].map(encodeURIComponent).join("/")}`,
        body: { expiresIn: seconds },
        timeoutMs: SIGN_TIMEOUT_MS,
      });
      return `${project.url}/storage/v1${signed.parse(answer).signedURL}`;
    },
  };
}
