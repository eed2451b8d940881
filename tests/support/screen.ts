/** The screen of docs/mobile/gemreel.ts, with what tests look at. */
import { z } from "zod";
import { catchUp, keep, type News, nothing, remove } from "../../docs/mobile/gemreel.ts";

/** What the tests look at of a video's state; rows, broadcasts and videos_since have it alike. */
export const videoState = z.object({
  id: z.uuid(),
  user_id: z.uuid(),
  title: z.string(),
  rev: z.number(),
  status: z.enum(["queued", "processing", "rendering", "completed", "failed", "cancelled"]),
  stage: z.string(),
  progress: z.number(),
  error_message: z.string().nullable(),
  is_favorite: z.boolean(),
  created_at: z.string(),
});

/** A video's state. */
export type VideoState = z.infer<typeof videoState>;

const answerSchema = z.object({
  reset: z.boolean(),
  rev: z.string(),
  videos: z.array(videoState),
  deleted: z.array(z.uuid()),
});

/** What an app shows of its user's videos: the app's own code takes everything in. */
export class Screen {
  readonly #kept = nothing();

  /** Where the next videos_since goes on from. */
  get rev(): string | null {
    return this.#kept.rev;
  }

  /** Takes in a row or a broadcast. */
  show(news: unknown): void {
    keep(this.#kept, videoState.parse(news));
  }

  /** Takes in that a video was deleted. */
  remove(id: string): void {
    remove(this.#kept, id);
  }

  /** To be called before videos_since is asked. Gives what takes its answer in. */
  catchUp(): (answer: unknown) => void {
    const take = catchUp(this.#kept);
    return (answer) => take(answerSchema.parse(answer) satisfies News);
  }

  /** What is shown of a video. */
  at(id: string): VideoState | undefined {
    return this.videos.find((video) => video.id === id);
  }

  /** All that is shown, by id. */
  get videos(): VideoState[] {
    return [...this.#kept.videos.values()]
      .map((video) => videoState.parse(video))
      .sort((a, b) => a.id.localeCompare(b.id));
  }
}
