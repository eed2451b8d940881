/** How fast one account may be asked for new tasks. */
import { sleep } from "../../sleep.ts";

/** So many starts in so much time. */
export interface PaceLimit {
  readonly most: number;
  readonly perMs: number;
}

/** Time as the pace sees it. */
export interface PaceClock {
  /** Milliseconds of any clock that only goes forward. */
  readonly now: () => number;
  readonly wait: (ms: number) => Promise<void>;
}

const realClock: PaceClock = {
  now: () => performance.now(),
  wait: sleep,
};

/** Lets starts through as the limit allows, in the order they came; the others wait. */
export class Pace {
  readonly #limit: PaceLimit;
  readonly #clock: PaceClock;
  /** When the newest starts were let through or will be, oldest first. */
  #starts: number[] = [];

  constructor(limit: PaceLimit, clock: PaceClock = realClock) {
    this.#limit = limit;
    this.#clock = clock;
  }

  /** Resolves when one more start is allowed, and counts it. */
  async turn(): Promise<void> {
    const now = this.#clock.now();
    const { most, perMs } = this.#limit;
    const before = this.#starts.at(-most);
    const start = before === undefined ? now : Math.max(now, before + perMs);
    this.#starts = [...this.#starts.slice(1 - most), start];
    if (start > now) await this.#clock.wait(start - now);
  }
}
