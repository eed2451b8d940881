/** Where videos stand: at once, when something changes, or as a stream. */
import { z } from "zod";
import { parseFields } from "../http/body.ts";
import type { UserVisit } from "../http/door.ts";
import { HttpError, invalidFields } from "../http/http_error.ts";
import { refuseUnknownNames } from "../http/query.ts";
import { type Cursor, cursorOf, revList } from "../status/cursor.ts";
import { readVideos, readVideosUnderWay } from "../status/read.ts";
import { streamVideos } from "../status/stream.ts";
import { isOver, type VideoAnswer, videoAnswer } from "../status/video_state.ts";
import { afterNextChange, LONGEST_WAIT, type WatchTools } from "../status/wait.ts";
import { id } from "./fields.ts";

/** What `video-status` is asked. */
export const statusQuery = z.object({
  video_id: z.array(id).max(100, "name at most 100").default([])
    .meta({
      description:
        "One or many: repeat the parameter. None: your videos under way, at most the newest 100.",
    }),
  rev: revList.optional().meta({
    description: "What you have seen: a rev for each video_id, in their order, comma separated.",
  }),
  wait: z.string().regex(
    /^\d{1,3}$/,
    `must be whole seconds from 0 to ${LONGEST_WAIT}`,
  )
    .transform(Number)
    .refine(
      (seconds) => seconds <= LONGEST_WAIT,
      `must be whole seconds from 0 to ${LONGEST_WAIT}`,
    )
    .optional()
    .meta({
      description:
        `Whole seconds, 0 to ${LONGEST_WAIT}, to wait for something newer than rev, or than now.`,
    }),
});

/** What `video-status` answers. */
export const statusAnswer = z.object({
  success: z.literal(true),
  videos: z.array(videoAnswer).meta({
    description: "Newest first, without those that were deleted while you waited.",
  }),
});

/** Where the videos stand. */
export type StatusAnswer = z.infer<typeof statusAnswer>;

/**
 * GET video-status[?video_id=…(&video_id=…)[&rev=…]][&wait=25]: each finished video with fresh links.
 * Without an id it is about all that the caller has under way, which may be none.
 * With `wait` the answer comes when something is newer than `rev` (without it: than at the call), or
 * when the time is up. With `Accept: text/event-stream` it is a stream. One id that is not the caller's
 * is a 404; among several it is left out.
 */
export async function videoStatus(
  request: Request,
  visit: UserVisit,
  { watcher, isolateEnd }: WatchTools,
): Promise<Response> {
  const streams = /\btext\/event-stream\b/.test(
    request.headers.get("accept") ?? "",
  );
  const { ids, cursor, wait } = asked(request, { streams });
  const isNamed = ids.length > 0;
  const videos = isNamed
    ? await readVideos(visit.admin(), { userId: visit.userId, ids })
    : await readVideosUnderWay(visit.admin(), visit.userId);
  if (isNamed && videos.length === 0) {
    throw new HttpError(404, "not_found", "There is no such video", {
      details: [{ field: "video_id", message: "is not a video of yours" }],
    });
  }
  const isNews = ({ video_id, rev }: VideoAnswer) => rev > (cursor?.get(video_id) ?? 0);
  const isAllOver = videos.every(isOver);
  if (streams) {
    // What makes an EventSource stop coming again.
    if (isAllOver && !videos.some(isNews)) {
      return new Response(null, { status: 204 });
    }
    const lifeMs = LONGEST_WAIT * 1_000;
    const order = isNamed ? ids : videos.map(({ video_id }) => video_id);
    return streamVideos({ ids: order, videos, cursor: cursor ?? new Map() }, {
      watcher,
      isolateEnd,
      lifeMs,
    });
  }
  const nothingNew = cursor === undefined || !videos.some(isNews);
  const now = wait > 0 && nothingNew && !isAllOver
    ? await afterNextChange(videos, {
      watcher,
      milliseconds: wait * 1_000,
      signals: [request.signal, isolateEnd],
    })
    : videos;
  return Response.json(
    { success: true, videos: now } satisfies StatusAnswer,
  );
}

function asked(
  request: Request,
  { streams }: { streams: boolean },
): { ids: string[]; cursor: Cursor | undefined; wait: number } {
  const { searchParams } = new URL(request.url);
  refuseUnknownNames(searchParams, Object.keys(statusQuery.shape));
  // Revs belong to ids. Who names none is told all of it anew by the next stream.
  const lastEvent = streams && searchParams.has("video_id")
    ? request.headers.get("last-event-id")
    : null;
  const { video_id: ids, rev, wait } = parseFields({
    video_id: searchParams.getAll("video_id"),
    rev: searchParams.get("rev") ?? undefined,
    wait: searchParams.get("wait") ?? undefined,
  }, statusQuery);
  if (streams && wait !== undefined) {
    throw invalidFields(400, [{
      field: "wait",
      message: "is not for a stream, which always waits",
    }]);
  }
  const cursor = lastEvent === null
    ? cursorIn("rev", rev, ids)
    : cursorIn("Last-Event-ID", parseFields({ "Last-Event-ID": lastEvent }, lastEventId), ids);
  return { ids, cursor, wait: wait ?? 0 };
}

const lastEventId = z.object({ "Last-Event-ID": revList }).transform((id) => id["Last-Event-ID"]);

function cursorIn(
  field: string,
  revs: string | undefined,
  ids: readonly string[],
): Cursor | undefined {
  if (revs === undefined) return undefined;
  const cursor = cursorOf(ids, revs);
  if (cursor !== undefined) return cursor;
  const message = ids.length === 0
    ? "goes together with video_id, and there is none"
    : `must hold a rev for each video_id: ${ids.length}, not ${revs.split(",").length}`;
  throw invalidFields(400, [{ field, message }]);
}
