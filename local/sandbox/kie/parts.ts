import { SandboxClock } from "../clock.ts";
import { Delays } from "../delays.ts";
import { type Random, seededRandom } from "../random.ts";
import { Watchers } from "../watchers.ts";
import { type CallbackCounts, Callbacks } from "./callbacks.ts";
import { type KieKnobStore, newKieKnobs } from "./knobs.ts";
import { callbackOf } from "./record.ts";
import { creditsOf, type KieTask, KieTasks } from "./tasks.ts";

/** What has happened since the start or the last reset. */
export interface KieCounts extends CallbackCounts {
  /** HTTP requests to the API, whatever their answer. */
  calls: number;
  /** Those of them that were to create a task. */
  creates: number;
  /** Creates that were refused because there were too many of them. */
  tooFast: number;
  /** Tasks that were taken, which is to say bought. */
  accepted: number;
  polls: number;
  mediaGets: number;
}

function noCounts(): KieCounts {
  return {
    calls: 0,
    creates: 0,
    tooFast: 0,
    accepted: 0,
    polls: 0,
    callbacksSent: 0,
    callbacksDelivered: 0,
    callbacksDropped: 0,
    callbacksPending: 0,
    mediaGets: 0,
  };
}

/** The parts of one sandbox, wired to each other. */
export class KieParts {
  readonly clock: SandboxClock;
  readonly knobs: KieKnobStore;
  readonly tasks: KieTasks;
  readonly callbacks: Callbacks;
  readonly delays = new Delays();
  readonly watchers = new Watchers();
  readonly counts: KieCounts = noCounts();
  readonly #seed: string;
  readonly #announced = new WeakMap<KieTask, Promise<void>>();
  /** When the newest creates came, oldest first. */
  creates: number[] = [];
  /**
   * For what happens to requests, callbacks and downloads; tasks draw from numbers of their own.
   */
  random: Random;
  /** Base of result URLs; known once the server listens. */
  mediaUrl = "";

  constructor(
    readonly apiKey: string,
    { seed, knobs, now }: { seed: string; knobs: unknown; now: (() => number) | undefined },
  ) {
    this.#seed = seed;
    this.clock = new SandboxClock(now);
    this.knobs = newKieKnobs(knobs);
    this.tasks = new KieTasks(this.clock, this.knobs, seed);
    this.random = seededRandom(`${seed}/requests`);
    const onChange = () => this.watchers.changed();
    const { clock, knobs: store, counts } = this;
    this.callbacks = new Callbacks({ clock, knobs: store, counts, onChange });
    this.tasks.listen((task) => void this.#announced.set(task, this.#announce(task)));
  }

  /** What the account has left. */
  get credits(): number {
    const spent = this.tasks.all().reduce((sum, task) => sum + creditsOf(task), 0);
    return this.knobs.values.credits - spent;
  }

  /** Resolves when the first try of the task's callback is over. */
  async announced(task: KieTask): Promise<void> {
    await this.#announced.get(task);
  }

  /**
   * Tells a callback URL of a success that is not true: its file is where nobody must fetch from.
   */
  async forge({ taskId, order }: KieTask): Promise<void> {
    if (order.callBackUrl === null) return;
    const resultJson = JSON.stringify({ resultUrls: [`https://forged.example.net/${taskId}.mp4`] });
    const data = { taskId, state: "success", resultJson, consumeCredits: 0 };
    await this.callbacks.send(order.callBackUrl, taskId, { code: 200, msg: "success", data });
  }

  /** What a callback about the task says now. */
  callbackBody(task: KieTask): unknown {
    const { mediaUrl, credits: remainedCredits } = this;
    return callbackOf(task, this.knobs.values, { mediaUrl, remainedCredits });
  }

  /**
   * Calls back about a task that has ended, as the knobs say; resolves when that was tried once.
   */
  async #announce(task: KieTask): Promise<void> {
    this.watchers.changed();
    const url = task.order.callBackUrl;
    if (url === null) return;
    if (this.knobs.draw("callbackLost", this.random)) return this.callbacks.drop();
    const times = this.knobs.draw("callbackDoubled", this.random) ? 2 : 1;
    const body = this.callbackBody(task);
    await Promise.all(
      Array.from({ length: times }, () => this.callbacks.send(url, task.taskId, body)),
    );
  }

  /** Back to the start: no tasks, no counts, the knobs as they were. */
  reset(): void {
    this.clock.clear();
    this.callbacks.clear();
    this.tasks.clear();
    this.knobs.reset();
    this.creates = [];
    Object.assign(this.counts, noCounts());
    this.random = seededRandom(`${this.#seed}/requests`);
    this.watchers.giveUp("The sandbox was reset");
  }

  /** Leaves no timer and no call behind. */
  close(): void {
    this.clock.stop();
    this.callbacks.stop();
    this.delays.close();
    this.watchers.giveUp("The sandbox was closed");
  }
}
