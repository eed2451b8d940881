import { SandboxClock } from "../clock.ts";
import { Delays } from "../delays.ts";
import { type Random, seededRandom } from "../random.ts";
import { newRunwayKnobs, type RunwayKnobStore } from "./knobs.ts";
import { RunwayTasks } from "./tasks.ts";

/** What has happened since the start or the last reset. */
export interface RunwayCounts {
  /** HTTP requests to the API, whatever their answer. */
  calls: number;
  /** Those of them that were to create a task. */
  creates: number;
  /** Tasks that were taken, which is to say bought. */
  accepted: number;
  polls: number;
  cancels: number;
  mediaGets: number;
}

function noCounts(): RunwayCounts {
  return { calls: 0, creates: 0, accepted: 0, polls: 0, cancels: 0, mediaGets: 0 };
}

/** The parts of one sandbox, wired to each other. */
export class RunwayParts {
  readonly clock: SandboxClock;
  readonly knobs: RunwayKnobStore;
  readonly tasks: RunwayTasks;
  readonly delays = new Delays();
  readonly counts: RunwayCounts = noCounts();
  readonly #seed: string;
  /** For what happens to requests and downloads; tasks draw from numbers of their own. */
  random: Random;
  /** Base of result URLs; known once the server listens. */
  mediaUrl = "";

  constructor(
    readonly apiKey: string,
    { seed, knobs, now }: { seed: string; knobs: unknown; now: (() => number) | undefined },
  ) {
    this.#seed = seed;
    this.clock = new SandboxClock(now);
    this.knobs = newRunwayKnobs(knobs);
    this.tasks = new RunwayTasks(this.clock, this.knobs, seed);
    this.random = seededRandom(`${seed}/requests`);
  }

  /** What the account has left, in credits. */
  get creditBalance(): number {
    const spent = this.tasks.all().reduce((sum, { cost }) => sum + (cost ?? 0), 0);
    return this.knobs.values.creditBalance - spent;
  }

  /** Back to the start: no tasks, no counts, the knobs as they were. */
  reset(): void {
    this.clock.clear();
    this.tasks.clear();
    this.knobs.reset();
    Object.assign(this.counts, noCounts());
    this.random = seededRandom(`${this.#seed}/requests`);
  }

  /** Leaves no timer behind. */
  close(): void {
    this.clock.stop();
    this.delays.close();
  }
}
