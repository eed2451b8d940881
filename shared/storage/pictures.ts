/** The picture a video starts with, as a file to keep for its thumbnail. */
import { secretHeaders, type SupabaseConfig } from "../config.ts";
import { type Media, openMedia } from "./media_fetch.ts";
import { THUMBNAILS } from "./media_types.ts";

/** Where a video's first frame may be. */
export interface FirstFrame {
  /** In our own bucket "avatars". */
  readonly avatarPath: string | null;
  readonly url: string | null;
  /** Hosts of the provider, in addition to the hosts that are always allowed. */
  readonly hosts: readonly string[];
}

/** Opens a first frame; null where the video has none. Throws as openMedia does. */
export type OpenPicture = (frame: FirstFrame, signal: AbortSignal) => Promise<Media | null>;

/** Pictures of the project's own Storage, and of `hosts`. */
export function createPictures(
  { url, secretKey }: SupabaseConfig,
  { hosts }: { hosts: readonly string[] },
): OpenPicture {
  const own = new URL(url).host;
  return async (frame, signal) => {
    if (frame.avatarPath !== null) {
      return await openMedia(`${url}/storage/v1/object/avatars/${frame.avatarPath}`, {
        hosts: [own],
        wanted: THUMBNAILS,
        signal,
        headers: secretHeaders(secretKey),
      });
    }
    if (frame.url === null) return null;
    return await openMedia(frame.url, {
      hosts: [own, ...hosts, ...frame.hosts],
      wanted: THUMBNAILS,
      signal,
    });
  };
}
