import type { Appointment, SandboxClock } from "../clock.ts";
import { type Random, randomUuid, seededRandom } from "../random.ts";
import type { Order } from "./create.ts";
import type { RunwayKnobStore } from "./knobs.ts";

/** Runway's own words for where a task stands. */
export type RunwayStatus =
  | "PENDING"
  | "THROTTLED"
  | "RUNNING"
  | "SUCCEEDED"
  | "FAILED"
  | "CANCELLED";

/** Why a task failed. */
export interface Failure {
  readonly code: string | null;
  readonly message: string;
  /** Credits that are charged all the same. */
  readonly credits: number;
}

/** A task that was taken, which is to say bought. Times are epoch milliseconds. */
export interface RunwayTask {
  readonly id: string;
  readonly order: Order;
  readonly createdAt: number;
  status: RunwayStatus;
  startedAt: number | null;
  failure: Failure | null;
  /** Credits charged; null while it is being made. */
  cost: number | null;
  /** When each result URL that was handed out ends, by its token. */
  readonly links: Map<string, number>;
  /** True once the task was deleted: nobody is told of it any more. */
  deleted: boolean;
}

const ACTIVE: ReadonlySet<RunwayStatus> = new Set(["PENDING", "THROTTLED", "RUNNING"]);

/** Whether the task is still to be made. */
export function isActive({ status }: RunwayTask): boolean {
  return ACTIVE.has(status);
}

/** Every task that was taken, and the way it goes: PENDING, perhaps THROTTLED, RUNNING, an end. */
export class RunwayTasks {
  readonly #clock: SandboxClock;
  readonly #knobs: RunwayKnobStore;
  readonly #seed: string;
  readonly #tasks = new Map<string, RunwayTask>();
  readonly #appointments = new Map<string, Appointment>();
  #random: Random;

  constructor(clock: SandboxClock, knobs: RunwayKnobStore, seed: string) {
    this.#clock = clock;
    this.#knobs = knobs;
    this.#seed = seed;
    this.#random = seededRandom(`${seed}/tasks`);
  }

  /** Deleted ones too. */
  all(): RunwayTask[] {
    return [...this.#tasks.values()];
  }

  get(id: string): RunwayTask | undefined {
    return this.#tasks.get(id);
  }

  /** Takes an order. */
  add(order: Order): RunwayTask {
    const task: RunwayTask = {
      // Not by the seed: after a reset or a restart no id may come a second time.
      id: crypto.randomUUID(),
      order,
      createdAt: this.#clock.now(),
      status: "PENDING",
      startedAt: null,
      failure: null,
      cost: null,
      links: new Map(),
      deleted: false,
    };
    this.#tasks.set(task.id, task);
    const begin = task.createdAt + this.#knobs.values.pendingMs;
    this.#at(task, begin, () => this.#begin(task, begin));
    return task;
  }

  /** Ends a task well. Does nothing when it has ended. */
  finish(task: RunwayTask): void {
    this.#end(task, "SUCCEEDED", task.order.credits);
  }

  /** Ends a task badly. Does nothing when it has ended. */
  fail(task: RunwayTask, failure: Failure): void {
    if (!isActive(task)) return;
    task.failure = failure;
    this.#end(task, "FAILED", failure.credits);
  }

  /** Cancels a task that is to be made; deletes one that has ended. Afterwards nobody knows it. */
  remove(task: RunwayTask): void {
    this.#end(task, "CANCELLED", 0);
    task.deleted = true;
  }

  /** A new URL token for a finished task. */
  link(task: RunwayTask): string {
    const token = randomUuid(this.#random);
    task.links.set(token, this.#clock.now() + this.#knobs.values.urlTtlMs);
    return token;
  }

  /** How much of the render is done, 0 to 1 (exclusive). */
  progressOf({ startedAt }: RunwayTask): number {
    const done = (this.#clock.now() - (startedAt ?? 0)) / Math.max(1, this.#knobs.values.renderMs);
    return startedAt === null ? 0 : Math.min(0.99, Math.max(0, done));
  }

  /** Forgets everything. */
  clear(): void {
    this.#tasks.clear();
    this.#appointments.clear();
    this.#random = seededRandom(`${this.#seed}/tasks`);
  }

  /** Runs the task, or leaves it waiting while as many of its model run as may. */
  #begin(task: RunwayTask, at: number): void {
    const { concurrency, renderMs, manual } = this.#knobs.values;
    const running = this.all().filter(({ status, order }) =>
      status === "RUNNING" && order.model === task.order.model
    );
    if (concurrency !== null && running.length >= concurrency) {
      task.status = "THROTTLED";
      return;
    }
    task.status = "RUNNING";
    task.startedAt = at;
    if (!manual && !this.#knobs.draw("stuckTasks", this.#random)) {
      this.#at(task, at + renderMs, () => this.#complete(task));
    }
  }

  #complete(task: RunwayTask): void {
    const { failCode: code, failMessage: message } = this.#knobs.values;
    if (this.#knobs.draw("safetyFailure", this.#random)) {
      const words = "The prompt was refused by content moderation.";
      this.fail(task, { code: "SAFETY.INPUT.TEXT", message: words, credits: task.order.credits });
    } else if (this.#knobs.draw("failTasks", this.#random)) {
      this.fail(task, { code, message, credits: 0 });
    } else this.finish(task);
  }

  #end(task: RunwayTask, status: RunwayStatus, credits: number): void {
    if (!isActive(task)) return;
    this.#appointments.get(task.id)?.cancel();
    task.status = status;
    task.cost = credits;
    // Whoever was kept waiting by it goes first.
    const next = this.all().find((other) =>
      other.status === "THROTTLED" && other.order.model === task.order.model
    );
    if (next !== undefined) this.#begin(next, this.#clock.now());
  }

  #at(task: RunwayTask, dueAt: number, run: () => void): void {
    this.#appointments.set(task.id, this.#clock.at(dueAt, run));
  }
}
