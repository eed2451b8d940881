/** Keeping a thumbnail: nice to have, and never a reason to hold a finished video back. */
import type { DeliveredFile } from "../db/store_calls.ts";
import type { Log } from "../log.ts";
import { inTime } from "../storage/in_time.ts";
import type { ObjectStore } from "../storage/object_store.ts";
import type { OpenPicture } from "../storage/pictures.ts";

/** Longer than a picture should take, and short beside the video's own copy. */
const TIMEOUT_MS = 15_000;

/** What keeping a thumbnail takes. */
export interface ThumbnailTools {
  readonly open: OpenPicture;
  readonly store: ObjectStore;
  readonly log: Log;
  /** The provider's hosts, for pictures it made itself. */
  readonly hosts: readonly string[];
}

/**
 * Copies the first frame to a place beside the video's file. Answers the path, or null where there is no
 * picture or it cannot be had. Never rejects.
 */
export async function storeThumbnail(
  file: DeliveredFile,
  { open, store, log, hosts }: ThumbnailTools,
): Promise<string | null> {
  const { avatar_path: avatarPath, first_frame_url: url } = file;
  try {
    return await inTime(TIMEOUT_MS, async (signal) => {
      const picture = await open({ avatarPath, url, hosts }, signal);
      if (picture === null) return null;
      const { contentType, extension } = picture.type;
      const path = file.storage_path.replace(/\.mp4$/, `.${extension}`);
      await store.put(path, picture.body, { contentType, signal });
      return path;
    });
  } catch (error) {
    log.warn("A thumbnail could not be kept", { video_id: file.video_id, error });
    return null;
  }
}
