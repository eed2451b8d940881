import { Account } from "./account.ts";
import { Answers } from "./answers.ts";
import { SandboxClock } from "../clock.ts";
import { Delays } from "../delays.ts";
import { KnobStore } from "./knob_store.ts";
import { type Random, seededRandom } from "../random.ts";
import { emptyCounts, type SandboxCounts } from "./record.ts";
import { TaskStore } from "./tasks.ts";
import { Watchers } from "../watchers.ts";
import { Webhooks } from "./webhooks.ts";

/** What a sandbox is made of. */
export interface PartsOptions {
  readonly apiKey: string;
  readonly seed: string;
  readonly knobs: unknown;
  readonly now: (() => number) | undefined;
  /** Base of result URLs; known only once the server listens. */
  readonly mediaUrl: () => string;
}

/**
 * The parts of one sandbox, wired to each other; the doors (REST, WebSocket, control) share them.
 */
export class Parts {
  readonly apiKey: string;
  readonly mediaUrl: () => string;
  readonly clock: SandboxClock;
  readonly knobs: KnobStore;
  readonly delays = new Delays();
  readonly watchers = new Watchers();
  readonly counts: SandboxCounts = emptyCounts();
  readonly account: Account;
  readonly tasks: TaskStore;
  readonly answers: Answers;
  readonly webhooks: Webhooks;
  readonly seed: string;
  /** For what happens to requests and downloads; tasks draw from generators of their own. */
  random: Random;

  /** @throws {KnobError} when `knobs` name an unknown knob or a wrong value. */
  constructor(options: PartsOptions) {
    this.apiKey = options.apiKey;
    this.seed = options.seed;
    this.mediaUrl = options.mediaUrl;
    this.random = seededRandom(`${this.seed}/requests`);
    this.clock = new SandboxClock(options.now);
    this.knobs = new KnobStore(options.knobs);
    this.account = new Account(this.knobs);
    this.tasks = new TaskStore(this.clock, this.seed);
    this.answers = new Answers(this.clock, this.knobs, this.mediaUrl);
    this.webhooks = new Webhooks({
      clock: this.clock,
      knobs: this.knobs,
      answers: this.answers,
      counts: this.counts,
      seed: this.seed,
      onChange: () => this.watchers.changed(),
    });
    this.tasks.listen((task, results) => {
      this.account.bill(task, results.length);
      task.lastAnswer = this.answers.state(task);
      this.webhooks.announce(task, results);
      this.watchers.changed(task.taskUUID);
    });
  }

  /** Back to the start: no tasks, no counts, the knobs as they were. The time stays where it is. */
  reset(): void {
    this.clock.clear();
    this.webhooks.clear();
    this.tasks.clear();
    this.account.clear();
    this.knobs.reset();
    Object.assign(this.counts, emptyCounts());
    this.random = seededRandom(`${this.seed}/requests`);
    this.watchers.giveUp("The sandbox was reset");
  }

  /** Leaves no timer and no call behind. */
  close(): void {
    this.clock.stop();
    this.webhooks.stop();
    this.delays.close();
    this.watchers.giveUp("The sandbox was closed");
  }
}
