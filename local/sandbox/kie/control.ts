import type { Levers } from "../control_http.ts";
import { NoSuchTask } from "../no_such_task.ts";
import type { KieKnobChanges, KieKnobs } from "./knobs.ts";
import type { KieCounts, KieParts } from "./parts.ts";
import { creditsOf, type KieState, type KieTask } from "./tasks.ts";

/** One task as the control shows it. */
export interface KieTaskView {
  readonly taskId: string;
  readonly model: string;
  readonly prompt: string;
  readonly state: KieState;
  readonly callBackUrl: string | null;
  readonly credits: number;
  readonly failCode: string | null;
}

/** Everything the sandbox has to tell. */
export interface KieView {
  readonly counts: Readonly<KieCounts>;
  readonly credits: number;
  readonly tasks: readonly KieTaskView[];
}

/** The levers of a sandbox. The same are at `/__sandbox/` over HTTP. */
export class KieControl implements Levers {
  readonly #parts: KieParts;

  constructor(parts: KieParts) {
    this.#parts = parts;
  }

  config(): KieKnobs {
    return this.#parts.knobs.values;
  }

  /** Turns some knobs and leaves the others. Throws a KnobError. */
  configure(changes: KieKnobChanges): KieKnobs {
    return this.#parts.knobs.merge(changes);
  }

  /** Forgets every task and count and puts the knobs back to where they were at the start. */
  reset(): void {
    this.#parts.reset();
  }

  state(): KieView {
    const { clock, counts, credits, tasks } = this.#parts;
    clock.run();
    return { counts: { ...counts }, credits, tasks: tasks.all().map(view) };
  }

  /** Ends a task well, now. Changes nothing when it has ended. Throws for an unknown id. */
  finish(taskId: string): KieTaskView {
    const task = this.#find(taskId);
    this.#parts.tasks.finish(task);
    return view(task);
  }

  /** Ends a task badly, now, by default as the knobs say. Throws for an unknown id. */
  fail(taskId: string, code?: string, message?: string): KieTaskView {
    const { failCode, failMessage } = this.#parts.knobs.values;
    const task = this.#find(taskId);
    this.#parts.tasks.fail(task, { code: code ?? failCode, message: message ?? failMessage });
    return view(task);
  }

  /** Ends every task that is being made, well. */
  finishAll(): void {
    for (const task of this.#parts.tasks.all()) this.#parts.tasks.finish(task);
  }

  /** Ends the life of the task's result URL. Throws for an unknown id. */
  expire(taskId: string): void {
    this.#find(taskId).urlEndsAt = 0;
  }

  /**
   * Calls back about a task now, whatever the knobs say: with `body`, or with what is true.
   * Resolves when it was tried once. Throws for an unknown id.
   */
  async callBack(taskId: string, body?: unknown): Promise<void> {
    const task = this.#find(taskId);
    const { callBackUrl } = task.order;
    if (callBackUrl === null) throw new Error(`Task "${taskId}" has no callback URL`);
    const { callbacks } = this.#parts;
    await callbacks.send(callBackUrl, taskId, body ?? this.#parts.callbackBody(task));
  }

  /** Moves the sandbox's time forward; all that has become due happens before this returns. */
  advance(ms: number): void {
    this.#parts.clock.advance(ms);
  }

  /** Resolves once `predicate` holds, which is looked at after each change. */
  waitFor(predicate: (counts: Readonly<KieCounts>) => boolean): Promise<void> {
    const { watchers, counts } = this.#parts;
    return watchers.until(() => predicate(counts));
  }

  #find(taskId: string): KieTask {
    const task = this.#parts.tasks.get(taskId);
    if (task === undefined) throw new NoSuchTask(taskId);
    return task;
  }
}

function view(task: KieTask): KieTaskView {
  const { taskId, order, state, failure } = task;
  return {
    taskId,
    model: order.model,
    prompt: order.prompt,
    state,
    callBackUrl: order.callBackUrl,
    credits: creditsOf(task),
    failCode: failure?.code ?? null,
  };
}
