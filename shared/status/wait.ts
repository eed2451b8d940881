/** Waiting for videos to move on, or to be over. */
import { isOver, type VideoAnswer } from "./video_state.ts";
import { revsOf } from "./cursor.ts";
import type { Change, OnChange, VideoWatcher } from "./watcher.ts";

/**
 * Longest a call waits or a stream lives, in seconds. The platform wants an answer within 150 and
 * ends free isolates at that age, with a word before (see isolateEnd).
 */
export const LONGEST_WAIT = 120;

/** What a door that waits needs beside the request. */
export interface WatchTools {
  readonly watcher: VideoWatcher;
  readonly isolateEnd: AbortSignal;
}

/** How long to wait for what. */
export interface WaitTools {
  readonly watcher: VideoWatcher;
  readonly milliseconds: number;
  /** Each ends the wait early: the client went away, the isolate ends. */
  readonly signals: readonly AbortSignal[];
}

/** These videos after the first change of any of them, or as they are when the time is up. */
export async function afterNextChange(
  videos: readonly VideoAnswer[],
  tools: WaitTools,
): Promise<VideoAnswer[]> {
  const changed = new Map<string, VideoAnswer | null>();
  await watchUntil(videos, tools, (changes) => {
    note(changed, changes);
    return true;
  });
  return withChanges(videos, changed);
}

/** These videos when all of them are over, or as they are when the time is up. */
export async function whenAllOver(
  videos: readonly VideoAnswer[],
  tools: WaitTools,
): Promise<VideoAnswer[]> {
  const changed = new Map<string, VideoAnswer | null>();
  if (videos.every(isOver)) return [...videos];
  await watchUntil(videos, tools, (changes) => {
    note(changed, changes);
    return withChanges(videos, changed).every(isOver);
  });
  return withChanges(videos, changed);
}

/** Tells `onChange` each change of these videos until it says that this is enough, or time is up. */
async function watchUntil(
  videos: readonly VideoAnswer[],
  { watcher, milliseconds, signals }: WaitTools,
  onChange: (...args: Parameters<OnChange>) => boolean,
): Promise<void> {
  const open = new Set(videos.filter((video) => !isOver(video)).map((video) => video.video_id));
  const { promise, resolve } = Promise.withResolvers<void>();
  const giveUp = () => resolve();
  const stop = watcher.watch(revsOf(videos, open), (changes) => {
    if (onChange(changes)) giveUp();
  });
  const timer = setTimeout(giveUp, milliseconds);
  for (const signal of signals) signal.addEventListener("abort", giveUp);
  try {
    if (signals.some((signal) => signal.aborted)) giveUp();
    await promise;
  } finally {
    stop();
    clearTimeout(timer);
    for (const signal of signals) signal.removeEventListener("abort", giveUp);
  }
}

function note(changed: Map<string, VideoAnswer | null>, changes: readonly Change[]): void {
  for (const { id, video } of changes) changed.set(id, video);
}

/** A video that is gone is left out. */
function withChanges(
  videos: readonly VideoAnswer[],
  changed: ReadonlyMap<string, VideoAnswer | null>,
): VideoAnswer[] {
  return videos.flatMap((video) => {
    const now = changed.get(video.video_id);
    return now === undefined ? video : now ?? [];
  });
}
