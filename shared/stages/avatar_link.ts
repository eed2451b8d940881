/** A child's picture for the provider: a link that lives as long as the provider may come for it. */
import type { ProviderError } from "../providers/provider.ts";
import { StorageError } from "../storage/object_store.ts";
import type { StorageApi } from "../storage/storage_api.ts";

/**
 * Providers fetch a frame when they take the task, or only when they begin with it, which may be as late
 * as the deadline of a render: Runway holds tasks THROTTLED, KIE queues them. Twice its default
 * (`app.providers.render_deadline_minutes`). Once the picture is deleted the link leads nowhere.
 */
const LINK_SECONDS = 3_600;

/** The link, or why there is none: the picture is gone, or Storage does not answer now. */
export async function avatarLink(
  storage: StorageApi,
  path: string,
): Promise<{ link: string } | { error: ProviderError }> {
  try {
    return { link: await storage.signedUrl("avatars", path, LINK_SECONDS) };
  } catch (error) {
    // A 400 is about how we asked, an invalid key say; the status is the real one (object_store.ts).
    const gone = error instanceof StorageError && error.status === 404;
    const message = error instanceof Error ? error.message : String(error);
    return {
      error: gone
        ? { kind: "validation", code: "avatar_missing", message, raw: null }
        : { kind: "server", code: "avatar_unreadable", message, raw: null },
    };
  }
}
