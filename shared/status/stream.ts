/** Videos as a stream of events, until they are over. */
import { eventStream } from "../http/event_stream.ts";
import { isOver, type VideoAnswer } from "./video_state.ts";
import { type Cursor, revsOf } from "./cursor.ts";
import type { Change, VideoWatcher } from "./watcher.ts";

/** What the stream is made of. */
export interface StreamTools {
  readonly watcher: VideoWatcher;
  /** Aborted when the isolate ends: the client is told to come again. */
  readonly isolateEnd: AbortSignal;
  /** Milliseconds until the client is told to come again, however young the isolate is. */
  readonly lifeMs: number;
}

/** The reason in the last event, `end`; `docs/openapi.json` tells the same to apps. */
export type StreamEnd = "over" | "reconnect";

/**
 * Sends each of these videos that is newer than `cursor` knows, then each change: `video` with the
 * whole state, `gone` for one that was deleted. The last event is `end`: "over" when all of them are,
 * "reconnect" when there is more to come on another connection.
 */
export function streamVideos(
  { ids, videos, cursor }: {
    /** In the order the client named them. */
    ids: readonly string[];
    videos: readonly VideoAnswer[];
    cursor: Cursor;
  },
  { watcher, isolateEnd, lifeMs }: StreamTools,
): Response {
  return eventStream((sink) => {
    const seen = new Map(cursor);
    const open = new Set(videos.filter((video) => !isOver(video)).map((video) => video.video_id));
    const tell = ({ id, video }: Change) => {
      if (video === null || isOver(video)) open.delete(id);
      if (video !== null) seen.set(id, video.rev);
      const revs = ids.map((each) => seen.get(each) ?? 0).join(",");
      sink.send(
        video === null
          ? { event: "gone", id: revs, data: { video_id: id } }
          : { event: "video", id: revs, data: video },
      );
    };
    const end = (reason: StreamEnd) => {
      sink.send({ event: "end", data: { reason } });
      sink.end();
    };
    for (const video of videos) {
      if (video.rev > (cursor.get(video.video_id) ?? 0)) tell({ id: video.video_id, video });
    }
    if (open.size === 0) {
      end("over");
      return () => {};
    }
    const comeAgain = () => end("reconnect");
    const timer = setTimeout(comeAgain, lifeMs);
    isolateEnd.addEventListener("abort", comeAgain);
    // It ended while the videos were read: nobody is told of that again.
    if (isolateEnd.aborted) comeAgain();
    const stop = watcher.watch(revsOf(videos, open), (changes) => {
      changes.forEach(tell);
      if (open.size === 0) end("over");
    });
    return () => {
      stop();
      clearTimeout(timer);
      isolateEnd.removeEventListener("abort", comeAgain);
    };
  });
}
