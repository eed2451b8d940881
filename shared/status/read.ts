/** Reads where videos stand, with fresh links to what is finished. */
import { z } from "zod";
import type { AdminClient } from "../http/door.ts";
import { fromRpcError, HttpError } from "../http/http_error.ts";
import { signLinks } from "../storage/sign_links.ts";
import { type VideoAnswer, type VideoState, videoState } from "./video_state.ts";
import type { Change } from "./watcher.ts";

/** Seconds a link to a finished file lives. */
const LINK_SECONDS = 3_600;

const changes = z.array(z.object({ video_id: z.uuid(), state: videoState.nullable() }));

/**
 * This user's videos among `ids`, newest first; those of others are left out. Throws HttpError: 503
 * when the database, 502 when Storage does not answer.
 */
export async function readVideos(
  admin: AdminClient,
  { userId, ids }: { userId: string; ids: string[] },
): Promise<VideoAnswer[]> {
  const { data, error } = await admin.rpc("video_status", { p_user_id: userId, p_video_ids: ids });
  if (error) throw fromRpcError(error);
  return await withLinks(z.array(videoState).parse(data));
}

/** This user's videos that are not over, newest first, at most 100. Throws as `readVideos`. */
export async function readVideosUnderWay(
  admin: AdminClient,
  userId: string,
): Promise<VideoAnswer[]> {
  const { data, error } = await admin.rpc("videos_under_way", { p_user_id: userId });
  if (error) throw fromRpcError(error);
  return await withLinks(z.array(videoState).parse(data));
}

/** Whoever's videos these are: those that moved past the rev known of them. One query. */
export async function readChanges(
  admin: AdminClient,
  known: ReadonlyMap<string, number>,
): Promise<Change[]> {
  const { data, error } = await admin.rpc("video_changes", {
    p_video_ids: [...known.keys()],
    p_revs: [...known.values()],
  });
  if (error) throw fromRpcError(error);
  const found = changes.parse(data);
  const states = await withLinks(found.flatMap(({ state }) => state ?? []));
  const byId = new Map(states.map((state) => [state.video_id, state]));
  return found.map(({ video_id }) => ({ id: video_id, video: byId.get(video_id) ?? null }));
}

async function withLinks(videos: VideoState[]): Promise<VideoAnswer[]> {
  const paths = videos.flatMap((video) => pathsOf(video));
  const links = await signedLinks(paths);
  const link = (path: string | null) => path === null ? null : links.get(path) ?? null;
  return videos.map(({ storage_path, thumbnail_path, ...video }) => ({
    ...video,
    video_url: link(storage_path),
    thumbnail_url: link(thumbnail_path),
  }));
}

function pathsOf({ storage_path, thumbnail_path }: VideoState): string[] {
  return [storage_path, thumbnail_path].filter((path) => path !== null);
}

async function signedLinks(paths: string[]): Promise<Map<string, string>> {
  if (paths.length === 0) return new Map();
  try {
    return await signLinks("videos", paths, { seconds: LINK_SECONDS });
  } catch (cause) {
    throw new HttpError(502, "storage_unavailable", "The video can not be fetched now", { cause });
  }
}
