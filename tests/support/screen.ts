/** What an app shows of its user's videos, whatever order and however often it is told. */
import { z } from "zod";

/** What the tests look at of a video's state; rows, broadcasts and videos_since have it alike. */
export const videoState = z.object({
  id: z.uuid(),
  user_id: z.uuid(),
  rev: z.number(),
  status: z.string(),
  stage: z.string(),
  progress: z.number(),
  is_favorite: z.boolean(),
});

/** A video's state. */
export type VideoState = z.infer<typeof videoState>;

const answerSchema = z.object({
  reset: z.boolean(),
  rev: z.string(),
  videos: z.array(videoState),
  deleted: z.array(z.uuid()),
});

/** The rule of docs/architecture.md, "Live updates": of two states of a video the greater rev stays. */
export class Screen {
  readonly #videos = new Map<string, VideoState>();
  readonly #deleted = new Set<string>();
  /** Where the next videos_since goes on from. */
  rev: string | null = null;

  /** Takes in a row or a broadcast. */
  show(news: unknown): void {
    const video = videoState.parse(news);
    const shown = this.#videos.get(video.id);
    if (this.#deleted.has(video.id) || (shown && shown.rev >= video.rev)) return;
    this.#videos.set(video.id, video);
  }

  /** A deleted video does not come back, whatever arrives late. */
  remove(id: string): void {
    this.#deleted.add(id);
    this.#videos.delete(id);
  }

  /** Takes in an answer of videos_since. */
  catchUp(answer: unknown): void {
    const { reset, rev, videos, deleted } = answerSchema.parse(answer);
    if (reset) this.#videos.clear();
    for (const video of videos) this.show(video);
    for (const id of deleted) this.remove(id);
    this.rev = rev;
  }

  /** What is shown of a video. */
  at(id: string): VideoState | undefined {
    return this.#videos.get(id);
  }

  /** All that is shown, by id. */
  get videos(): VideoState[] {
    return [...this.#videos.values()].sort((a, b) => a.id.localeCompare(b.id));
  }
}
