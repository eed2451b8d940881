/** Waiting for more work to share a call. */
import { FULL_ENOUGH } from "./batch_of_each.ts";

/** The longest wait. Milliseconds, next to nothing beside a render. */
const GATHER_MOST_MS = 2_000;

/**
 * The wait after a batch that was not full: twice as long each time while work keeps coming in small
 * parts, half as long after a full batch.
 */
export class Gathering {
  readonly #least: number;
  readonly #pause: (milliseconds: number) => Promise<void>;
  #wait: number;

  /** `least`: the first wait and the shortest, in milliseconds; 0: there is no waiting at all. */
  constructor(least: number, pause: (milliseconds: number) => Promise<void>) {
    this.#least = least;
    this.#pause = pause;
    this.#wait = least;
  }

  /** Waits after a batch of this fullness; not at all after a full one. */
  async after(fullness: number): Promise<void> {
    if (fullness === 1) {
      this.#wait = Math.max(this.#least, this.#wait / 2);
    } else if (this.#least > 0) {
      await this.#pause(this.#wait);
      if (fullness < FULL_ENOUGH) this.#wait = Math.min(this.#wait * 2, GATHER_MOST_MS);
    }
  }
}
