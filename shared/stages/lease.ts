/** How long a worker may act on what it has claimed. */

/** Milliseconds by two clocks: one jumps when it is set, the other may stand still while the machine sleeps. */
export interface LeaseClock {
  readonly wall: () => number;
  readonly steady: () => number;
}

const realClock: LeaseClock = { wall: () => Date.now(), steady: () => performance.now() };

/** No request to a provider takes longer: the longest is KIE's, with the wait for its pace. Milliseconds. */
const CALL_MS = 26_000;

/**
 * A claim as its worker sees it: dated slightly before the database's own claim, so that it expires
 * slightly earlier.
 */
export class Lease {
  readonly #clock: LeaseClock;
  readonly #wall: number;
  readonly #steady: number;

  constructor(clock: LeaseClock = realClock) {
    this.#clock = clock;
    this.#wall = clock.wall();
    this.#steady = clock.steady();
  }

  /**
   * Whether a call that begins now ends before the lease of so many seconds does. A worker that was held
   * up for long must not begin one: somebody else may have taken over, or given up, what it has in hand.
   */
  hasRoom(leaseSeconds: number, callMs = CALL_MS): boolean {
    const leaseMs = leaseSeconds * 1_000;
    // The later of the two: whichever clock stood still or was set back, time has gone by.
    const age = Math.max(this.#clock.wall() - this.#wall, this.#clock.steady() - this.#steady);
    // A lease that is shorter than two calls is at least half there when one begins.
    return leaseMs - age >= Math.min(callMs, leaseMs / 2);
  }
}
