/**
 * One pair of eyes for everybody who waits in this isolate: as long as anybody does, the database is
 * asked once a tick about all watched videos together, however many clients watch them.
 */
import type { Log } from "../log.ts";
import type { VideoAnswer } from "./video_state.ts";

/** A video that moved on; `video` is null when it is gone. */
export interface Change {
  readonly id: string;
  readonly video: VideoAnswer | null;
}

/** Called with the videos of one watch that moved on, at most once a tick. */
export type OnChange = (changes: readonly Change[]) => void;

/** Tells changes of videos. */
export interface VideoWatcher {
  /**
   * Calls back when one of these videos moves past the rev beside its id, until the answered function
   * is called. Whose videos they are must have been checked before.
   */
  watch(seen: ReadonlyMap<string, number>, onChange: OnChange): () => void;
  /** Videos watched by anybody. */
  readonly size: number;
}

/** What the watcher is made of. */
export interface WatcherTools {
  /**
   * Those of these videos that moved past the rev beside their id, as they can be told. What is not told
   * because it fails half-way is asked about again.
   */
  readonly read: (known: ReadonlyMap<string, number>) => AsyncIterable<readonly Change[]>;
  readonly log: Log;
  /** Milliseconds between an answer of the database and the next question. */
  readonly pauseMs?: number;
  readonly pauseAfterErrorMs?: number;
}

/** Short enough that people are told within a second, long enough to be cheap. Milliseconds. */
export const PAUSE_MS = 300;
/** After a question that failed; whoever waits is told a little later. */
const PAUSE_AFTER_ERROR_MS = 2_000;
/** Most videos in one question; about 50 bytes each. */
const MOST_AT_ONCE = 1_000;

/** One client's watch. */
interface Watch {
  readonly seen: Map<string, number>;
  readonly onChange: OnChange;
}

/** Makes a watcher that asks nothing until somebody watches. */
export function createVideoWatcher(
  { read, log, pauseMs = PAUSE_MS, pauseAfterErrorMs = PAUSE_AFTER_ERROR_MS }: WatcherTools,
): VideoWatcher {
  /** By video: the oldest rev that one of its watches knows, and these watches. */
  const videos = new Map<string, { rev: number; readonly watches: Set<Watch> }>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asking = false;

  function schedule(milliseconds: number): void {
    if (timer !== undefined || asking || videos.size === 0) return;
    timer = setTimeout(() => void tick(), milliseconds);
  }

  async function tick(): Promise<void> {
    timer = undefined;
    asking = true;
    let pause = pauseMs;
    const known = [...videos].map(([id, { rev }]) => [id, rev] as const);
    for (let at = 0; at < known.length; at += MOST_AT_ONCE) {
      try {
        const changes = read(new Map(known.slice(at, at + MOST_AT_ONCE)));
        for await (const some of changes) tell(some);
      } catch (error) {
        log.warn("Some watched videos could not be read", { error });
        pause = pauseAfterErrorMs;
      }
    }
    asking = false;
    schedule(pause);
  }

  function tell(changes: readonly Change[]): void {
    const news = new Map<Watch, Change[]>();
    for (const change of changes) {
      const entry = videos.get(change.id);
      if (entry === undefined) continue;
      const rev = change.video?.rev ?? Infinity;
      if (change.video === null) videos.delete(change.id);
      else entry.rev = rev;
      for (const watch of entry.watches) {
        // A watch that began with a newer view than ours has nothing to learn here.
        if ((watch.seen.get(change.id) ?? Infinity) >= rev) continue;
        watch.seen.set(change.id, rev);
        news.set(watch, [...news.get(watch) ?? [], change]);
      }
    }
    for (const [watch, found] of news) watch.onChange(found);
  }

  return {
    get size() {
      return videos.size;
    },
    watch(seen, onChange) {
      const watch: Watch = { seen: new Map(seen), onChange };
      for (const [id, rev] of seen) {
        const entry = videos.get(id);
        if (entry === undefined) videos.set(id, { rev, watches: new Set([watch]) });
        else {
          entry.rev = Math.min(entry.rev, rev);
          entry.watches.add(watch);
        }
      }
      schedule(pauseMs);
      return () => {
        for (const id of seen.keys()) {
          const entry = videos.get(id);
          entry?.watches.delete(watch);
          if (entry?.watches.size === 0) videos.delete(id);
        }
        if (videos.size > 0) return;
        clearTimeout(timer);
        timer = undefined;
      };
    },
  };
}
