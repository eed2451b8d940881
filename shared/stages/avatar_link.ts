/** A child's picture for the provider: a link that lives just long enough to be fetched. */
import type { ProviderError } from "../providers/provider.ts";
import { StorageError } from "../storage/object_store.ts";
import type { StorageApi } from "../storage/storage_api.ts";

/** Providers fetch a frame when they take the task, or when they begin with it. */
const LINK_SECONDS = 900;

/** The link, or why there is none: the picture is gone, or Storage does not answer now. */
export async function avatarLink(
  storage: StorageApi,
  path: string,
): Promise<{ link: string } | { error: ProviderError }> {
  try {
    return { link: await storage.signedUrl("avatars", path, LINK_SECONDS) };
  } catch (error) {
    const gone = error instanceof StorageError && [400, 404].includes(error.status);
    const message = error instanceof Error ? error.message : String(error);
    return {
      error: gone
        ? { kind: "validation", code: "avatar_missing", message, raw: null }
        : { kind: "server", code: "avatar_unreadable", message, raw: null },
    };
  }
}
