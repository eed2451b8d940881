/** Reads where videos stand, with fresh links to what is finished. */
import { z } from "zod";
import type { AdminClient } from "../http/admin_client.ts";
import { fromRpcError, HttpError } from "../http/http_error.ts";
import { signLinks } from "../storage/sign_links.ts";
import { type VideoAnswer, type VideoState, videoState } from "./video_state.ts";
import type { Change } from "./watcher.ts";

/** Seconds a link to a finished file lives. */
const LINK_SECONDS = 3_600;
/** While the links of some are signed, everybody who watches waits for the next question. Milliseconds. */
const SIGNING_MS = 5_000;

const changes = z.array(z.object({ video_id: z.guid(), state: videoState.nullable() }));

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
  return await withLinks(z.array(videoState).parse(data), signForCaller);
}

/** This user's videos that are not over, newest first, at most 100. Throws as `readVideos`. */
export async function readVideosUnderWay(
  admin: AdminClient,
  userId: string,
): Promise<VideoAnswer[]> {
  const { data, error } = await admin.rpc("videos_under_way", { p_user_id: userId });
  if (error) throw fromRpcError(error);
  return await withLinks(z.array(videoState).parse(data), signForCaller);
}

/**
 * Whoever's videos these are: those that moved past the rev known of them. One query. First those that
 * have no files, so that a Storage that is slow or away keeps nobody else waiting; then, signed, those
 * that have. Throws HttpError as readVideos does, the second time about Storage alone.
 */
export async function* readChanges(
  admin: AdminClient,
  known: ReadonlyMap<string, number>,
  sign: Sign = signForWatchers,
): AsyncGenerator<Change[], void> {
  const { data, error } = await admin.rpc("video_changes", {
    p_video_ids: [...known.keys()],
    p_revs: [...known.values()],
  });
  if (error) throw fromRpcError(error);
  const found = changes.parse(data);
  const states = found.flatMap(({ state }) => state ?? []);
  const gone = found.filter(({ state }) => state === null);
  const bare = states.filter((state) => pathsOf(state).length === 0);
  yield [
    ...gone.map(({ video_id }) => ({ id: video_id, video: null })),
    ...changesTo(await withLinks(bare, sign)),
  ];
  yield changesTo(await withLinks(states.filter((state) => pathsOf(state).length > 0), sign));
}

function changesTo(videos: readonly VideoAnswer[]): Change[] {
  return videos.map((video) => ({ id: video.video_id, video }));
}

/** Makes links to these files of the bucket "videos". */
type Sign = (paths: readonly string[]) => Promise<Map<string, string>>;

const signForCaller: Sign = (paths) => signLinks("videos", paths, { seconds: LINK_SECONDS });
const signForWatchers: Sign = (paths) =>
  signLinks("videos", paths, { seconds: LINK_SECONDS, timeoutMs: SIGNING_MS });

async function withLinks(videos: VideoState[], sign: Sign): Promise<VideoAnswer[]> {
  const paths = videos.flatMap((video) => pathsOf(video));
  const links = await signedLinks(paths, sign);
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

async function signedLinks(paths: string[], sign: Sign): Promise<Map<string, string>> {
  if (paths.length === 0) return new Map();
  try {
    return await sign(paths);
  } catch (cause) {
    throw new HttpError(502, "storage_unavailable", "The video cannot be fetched now", { cause });
  }
}
