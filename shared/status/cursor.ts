/** What a client has seen of the videos it asks about. */
import { z } from "zod";
import type { VideoAnswer } from "./video_state.ts";

/** The rev last seen, by video. */
export type Cursor = ReadonlyMap<string, number>;

/** Revs, comma separated, as `?rev=` and Last-Event-ID carry them. */
export const revList = z.string().regex(
  /^\d{1,15}(,\d{1,15})*$/,
  "must be revs (whole numbers), comma separated",
);

/** Pairs each id with its rev, in order; undefined when there are not as many of one as of the other. */
export function cursorOf(ids: readonly string[], list: string): Cursor | undefined {
  const revs = list.split(",").map(Number);
  if (revs.length !== ids.length) return undefined;
  return new Map(ids.map((id, index) => [id, revs[index] ?? 0]));
}

/** The revs of these videos, or of the chosen ones among them. */
export function revsOf(videos: readonly VideoAnswer[], chosen?: ReadonlySet<string>): Cursor {
  return new Map(
    videos.filter(({ video_id }) => chosen?.has(video_id) ?? true)
      .map(({ video_id, rev }) => [video_id, rev]),
  );
}
