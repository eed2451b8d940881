import type { RunwayKnobChanges, RunwayKnobs } from "./knobs.ts";
import type { RunwayCounts, RunwayParts } from "./parts.ts";
import type { Levers } from "../control_http.ts";
import { NoSuchTask } from "../no_such_task.ts";
import type { RunwayStatus, RunwayTask } from "./tasks.ts";

/** One task as the control shows it. */
export interface RunwayTaskView {
  readonly id: string;
  readonly model: string;
  readonly prompt: string;
  readonly status: RunwayStatus;
  readonly failureCode: string | null;
  /** Credits charged; null while it is being made. */
  readonly cost: number | null;
  readonly deleted: boolean;
}

/** Everything the sandbox has to tell. */
export interface RunwayView {
  readonly counts: Readonly<RunwayCounts>;
  readonly creditBalance: number;
  readonly tasks: readonly RunwayTaskView[];
}

/** The levers of a sandbox. The same are at `/__sandbox/` over HTTP. */
export class RunwayControl implements Levers {
  readonly #parts: RunwayParts;

  constructor(parts: RunwayParts) {
    this.#parts = parts;
  }

  config(): RunwayKnobs {
    return this.#parts.knobs.values;
  }

  /** Turns some knobs and leaves the others. Throws a KnobError. */
  configure(changes: RunwayKnobChanges): RunwayKnobs {
    return this.#parts.knobs.merge(changes);
  }

  /** Forgets every task and count and puts the knobs back to where they were at the start. */
  reset(): void {
    this.#parts.reset();
  }

  state(): RunwayView {
    const { clock, counts, creditBalance, tasks } = this.#parts;
    clock.run();
    return { counts: { ...counts }, creditBalance, tasks: tasks.all().map(view) };
  }

  /** Ends a task well, now. Changes nothing when it has ended. Throws for an unknown id. */
  finish(id: string): RunwayTaskView {
    this.#parts.tasks.finish(this.#find(id));
    return view(this.#find(id));
  }

  /**
   * Ends a task badly, now, by default as the knobs say. Moderation is charged, the rest is not.
   */
  fail(id: string, code?: string, message?: string): RunwayTaskView {
    const { failCode, failMessage } = this.#parts.knobs.values;
    const task = this.#find(id);
    const credits = (code ?? failCode)?.startsWith("SAFETY.INPUT") ? task.order.credits : 0;
    const failure = { code: code ?? failCode, message: message ?? failMessage, credits };
    this.#parts.tasks.fail(task, failure);
    return view(task);
  }

  /** Ends every task that is being made: well, unless the knobs say otherwise. */
  finishAll(): void {
    for (const { id } of this.#parts.tasks.all()) this.finish(id);
  }

  /** Ends the life of the result URLs that were handed out so far. Throws for an unknown id. */
  expire(id: string): void {
    const { links } = this.#find(id);
    for (const token of links.keys()) links.set(token, 0);
  }

  /** Moves the sandbox's time forward; all that has become due happens before this returns. */
  advance(ms: number): void {
    this.#parts.clock.advance(ms);
  }

  #find(id: string): RunwayTask {
    const task = this.#parts.tasks.get(id);
    if (task === undefined) throw new NoSuchTask(id);
    return task;
  }
}

function view({ id, order, status, failure, cost, deleted }: RunwayTask): RunwayTaskView {
  const failureCode = failure?.code ?? null;
  const { model, prompt } = order;
  return { id, model, prompt, status, failureCode, cost, deleted };
}
