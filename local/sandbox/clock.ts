/** Something that is to happen later; `cancel` makes sure that it does not. */
export interface Appointment {
  cancel(): void;
}

interface Entry {
  readonly dueAt: number;
  readonly order: number;
  run: (() => void) | null;
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * The sandbox's time: one heap of appointments and one timer for the earliest of them, however
 * many tasks are being rendered.
 *
 * With an injected `now` there is no timer at all: appointments are kept when somebody calls
 * {@linkcode SandboxClock.run} or {@linkcode SandboxClock.advance}.
 */
export class SandboxClock {
  readonly #now: () => number;
  readonly #driven: boolean;
  #heap: Entry[] = [];
  #offsetMs = 0;
  #made = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  /** @param now epoch milliseconds; the machine's clock when absent. */
  constructor(now?: () => number) {
    this.#now = now ?? Date.now;
    this.#driven = now !== undefined;
  }

  /** Epoch milliseconds, as moved by {@linkcode SandboxClock.advance}. */
  now(): number {
    return this.#now() + this.#offsetMs;
  }

  /** Makes `run` happen once at `dueAt` (epoch milliseconds). */
  at(dueAt: number, run: () => void): Appointment {
    const entry: Entry = { dueAt, order: this.#made++, run };
    this.#push(entry);
    if (this.#heap[0] === entry) this.#wind();
    return { cancel: () => entry.run = null };
  }

  /** Makes `run` happen once, `ms` from now. */
  after(ms: number, run: () => void): Appointment {
    return this.at(this.now() + ms, run);
  }

  /** Moves the time forward and keeps every appointment that has become due. */
  advance(ms: number): void {
    this.#offsetMs += ms;
    this.run();
  }

  /** Keeps every appointment that is due, the earliest first. */
  run(): void {
    for (let next = this.#heap[0]; next && next.dueAt <= this.now(); next = this.#heap[0]) {
      this.#pop();
      next.run?.();
    }
    this.#wind();
  }

  /** Forgets every appointment and stops the timer. */
  clear(): void {
    this.#heap = [];
    this.#wind();
  }

  /** Forgets every appointment and makes no new ones. */
  stop(): void {
    this.#stopped = true;
    this.clear();
  }

  #wind(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const next = this.#heap[0];
    if (this.#driven || this.#stopped || !next) return;
    const wait = Math.min(LONGEST_TIMER_MS, Math.max(0, next.dueAt - this.now()));
    this.#timer = setTimeout(() => this.run(), wait);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (!parent || isBefore(parent, entry)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      const smaller = isBefore(heap[right], heap[left]) ? right : left;
      const child = heap[smaller];
      if (!child || isBefore(last, child)) break;
      heap[at] = child;
      at = smaller;
    }
    heap[at] = last;
  }
}

function isBefore(a: Entry | undefined, b: Entry | undefined): boolean {
  if (!a || !b) return a !== undefined;
  return a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.order < b.order);
}
