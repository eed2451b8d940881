/** Readable names for the ids of a story, in the order in which they came up. */
import { attemptsOf, type Model } from "./state.ts";

/** Videos and attempts by number and by name. */
export interface Names {
  readonly videos: readonly string[];
  readonly attempts: readonly string[];
  learn(model: Model): void;
  /** "video 2, attempt 1" for the id of an attempt; "video 2" where a text holds the id of a video. */
  of(text: string): string;
}

/** Starts with no names. */
export function newNames(): Names {
  const videos: string[] = [];
  const attempts: string[] = [];
  const named = new Map<string, string>();
  return {
    videos,
    attempts,
    learn(model) {
      for (const { video, attempt } of attemptsOf(model)) {
        if (!named.has(video.id)) named.set(video.id, `video ${videos.push(video.id)}`);
        if (attempt.id === "" || named.has(attempt.id)) continue;
        attempts.push(attempt.id);
        named.set(attempt.id, `${named.get(video.id)}, attempt ${attempt.number}`);
      }
    },
    of(text) {
      const id = [...named.keys()].find((one) => text.includes(one));
      return (id === undefined ? undefined : named.get(id)) ?? text;
    },
  };
}
