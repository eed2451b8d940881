import type { Appointment, SandboxClock } from "../clock.ts";
import { type Random, seededRandom } from "../random.ts";
import type { KieKnobStore } from "./knobs.ts";
import type { Order } from "./order.ts";

/** KIE's own words for where a task stands. */
export type KieState = "waiting" | "queuing" | "generating" | "success" | "fail";

/** A task that was taken, which is to say bought. Times are epoch milliseconds. */
export interface KieTask {
  readonly taskId: string;
  readonly order: Order;
  readonly createdAt: number;
  state: KieState;
  endedAt: number | null;
  failure: { readonly code: string; readonly message: string } | null;
  /** When the result URL ends. */
  urlEndsAt: number;
}

/** Something that happens to a task when its time has come, in epoch milliseconds. */
interface Step {
  readonly at: number;
  readonly take: () => void;
}

/** Whether the task is still to be made. */
function isRunning({ endedAt }: KieTask): boolean {
  return endedAt === null;
}

/** Credits taken for the task: none until it is done, and none when it failed. */
export function creditsOf({ state, order }: KieTask): number {
  return state === "success" ? order.credits : 0;
}

/** Every task that was taken, and the way it goes: waiting, queuing, generating, an end. */
export class KieTasks {
  readonly #clock: SandboxClock;
  readonly #knobs: KieKnobStore;
  readonly #seed: string;
  readonly #tasks = new Map<string, KieTask>();
  readonly #appointments = new Map<string, Appointment>();
  #random: Random;
  #onEnd: (task: KieTask) => void = () => {};

  constructor(clock: SandboxClock, knobs: KieKnobStore, seed: string) {
    this.#clock = clock;
    this.#knobs = knobs;
    this.#seed = seed;
    this.#random = seededRandom(`${seed}/tasks`);
  }

  /** Who is told when a task ends. */
  listen(onEnd: (task: KieTask) => void): void {
    this.#onEnd = onEnd;
  }

  all(): KieTask[] {
    return [...this.#tasks.values()];
  }

  get(taskId: string): KieTask | undefined {
    return this.#tasks.get(taskId);
  }

  /** Takes an order. */
  add(order: Order): KieTask {
    const task: KieTask = {
      // Not by the seed: after a reset or a restart no id may come a second time.
      taskId: crypto.randomUUID().replaceAll("-", ""),
      order,
      createdAt: this.#clock.now(),
      state: "waiting",
      endedAt: null,
      failure: null,
      urlEndsAt: 0,
    };
    this.#tasks.set(task.taskId, task);
    const { queueMs, renderMs } = this.#knobs.values;
    const { createdAt } = task;
    const steps: readonly Step[] = [
      { at: createdAt + queueMs / 2, take: () => task.state = "queuing" },
      { at: createdAt + queueMs, take: () => task.state = "generating" },
      { at: createdAt + queueMs + renderMs, take: () => this.#complete(task) },
    ];
    this.#walk(task, steps);
    return task;
  }

  /** Ends a task well. Does nothing when it has ended. */
  finish(task: KieTask): void {
    this.#end(task, "success");
  }

  /** Ends a task badly. Does nothing when it has ended. */
  fail(task: KieTask, failure: { readonly code: string; readonly message: string }): void {
    if (!isRunning(task)) return;
    task.failure = failure;
    this.#end(task, "fail");
  }

  /** Forgets everything. */
  clear(): void {
    this.#tasks.clear();
    this.#appointments.clear();
    this.#random = seededRandom(`${this.#seed}/tasks`);
  }

  #walk(task: KieTask, [next, ...later]: readonly Step[]): void {
    if (next === undefined) return;
    const take = () => {
      next.take();
      this.#walk(task, later);
    };
    this.#appointments.set(task.taskId, this.#clock.at(next.at, take));
  }

  #complete(task: KieTask): void {
    const { manual, failCode: code, failMessage: message } = this.#knobs.values;
    if (manual || this.#knobs.draw("stuckTasks", this.#random)) return;
    if (this.#knobs.draw("failTasks", this.#random)) this.fail(task, { code, message });
    else this.finish(task);
  }

  #end(task: KieTask, state: "success" | "fail"): void {
    if (!isRunning(task)) return;
    this.#appointments.get(task.taskId)?.cancel();
    task.state = state;
    task.endedAt = this.#clock.now();
    task.urlEndsAt = task.endedAt + this.#knobs.values.urlTtlMs;
    this.#onEnd(task);
  }
}
