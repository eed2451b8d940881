/** Where videos stand. */
import { z } from "zod";
import { parseFields } from "../http/body.ts";
import type { UserVisit } from "../http/door.ts";
import { fromRpcError, HttpError } from "../http/http_error.ts";

/** Seconds a link to the finished file lives. */
const LINK_SECONDS = 3_600;

const query = z.object({
  video_id: z.array(z.uuid()).min(1, "name at least one").max(100, "name at most 100"),
});
const rows = z.array(
  z.looseObject({ video_id: z.uuid(), storage_path: z.string().nullable() }),
);

/**
 * GET video-status?video_id=…(&video_id=…): `{success, videos: […]}`, newest first, each finished one
 * with a fresh `video_url`. One id that is not the caller's is a 404; among several it is left out.
 */
export async function videoStatus(request: Request, visit: UserVisit): Promise<Response> {
  const { searchParams } = new URL(request.url);
  const { video_id } = parseFields({ video_id: searchParams.getAll("video_id") }, query);
  const { data, error } = await visit.admin().rpc("video_status", {
    p_user_id: visit.userId,
    p_video_ids: video_id,
  });
  if (error) throw fromRpcError(error);
  const videos = rows.parse(data);
  if (videos.length === 0) {
    throw new HttpError(404, "not_found", "There is no such video", {
      details: [{ field: "video_id", message: "is not a video of yours" }],
    });
  }
  const paths = videos.flatMap(({ storage_path }) => storage_path ?? []);
  const links = await signedLinks(visit, paths);
  return Response.json({
    success: true,
    videos: videos.map(({ storage_path, ...video }) => ({
      ...video,
      video_url: storage_path === null ? null : links.get(storage_path) ?? null,
    })),
  });
}

async function signedLinks(visit: UserVisit, paths: string[]): Promise<Map<string, string>> {
  if (paths.length === 0) return new Map();
  const { data, error } = await visit.admin().storage.from("videos")
    .createSignedUrls(paths, LINK_SECONDS);
  if (error) {
    throw new HttpError(502, "storage_unavailable", "The video can not be fetched now", {
      cause: error,
    });
  }
  return new Map(
    data.flatMap(({ path, signedUrl }) => path && signedUrl ? [[path, signedUrl]] : []),
  );
}
