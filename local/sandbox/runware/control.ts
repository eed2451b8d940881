import { NoSuchTask } from "../no_such_task.ts";
import type { JsonObject } from "./errors.ts";
import type { KnobChanges, Knobs } from "./knobs.ts";
import type { Parts } from "./parts.ts";
import { describeTask, type SandboxCounts, type SandboxState, type TaskState } from "./record.ts";
import type { RenderTask } from "./task.ts";

/**
 * What a predicate of {@linkcode Control.waitFor} may look at; nothing of it costs more with many
 * tasks.
 */
export interface SandboxView {
  readonly counts: Readonly<SandboxCounts>;
  readonly webhooksPending: number;
  task(taskUUID: string): TaskState | undefined;
}

/**
 * The levers of a sandbox for code in the same process. The control API over HTTP
 * (`/__sandbox/`) has the same operations.
 */
export class Control {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** The knobs as they are now; counted faults show what is left of them. */
  config(): Knobs {
    return this.#parts.knobs.values;
  }

  /** Turns some knobs and leaves the others. @throws {KnobError} */
  configure(changes: KnobChanges | JsonObject): Knobs {
    return this.#parts.knobs.merge(changes);
  }

  /** Forgets every task, id and count and puts the knobs back to where they were at the start. */
  reset(): void {
    this.#parts.reset();
  }

  state(): SandboxState {
    const { tasks, counts, webhooks, account } = this.#parts;
    this.tick();
    return {
      counts: { ...counts },
      webhooksPending: webhooks.pending,
      balanceUsd: account.balanceUsd,
      tasks: [...tasks.all()].map((task) => this.#describe(task)),
    };
  }

  /** One task; undefined when it was never accepted. */
  task(taskUUID: string): TaskState | undefined {
    const task = this.#parts.tasks.get(taskUUID);
    return task && this.#describe(task);
  }

  /** Ends a task well, now. Changes nothing when it has ended. @throws {NoSuchTask} */
  finish(taskUUID: string): TaskState {
    const task = this.#find(taskUUID);
    this.#parts.tasks.finish(task);
    return this.#describe(task);
  }

  /** Ends a task badly, now, by default as the knobs say. @throws {NoSuchTask} */
  fail(taskUUID: string, code?: string, message?: string): TaskState {
    const { failCode, failMessage } = this.#parts.knobs.values;
    const task = this.#find(taskUUID);
    this.#parts.tasks.fail(task, { code: code ?? failCode, message: message ?? failMessage });
    return this.#describe(task);
  }

  /** Ends the life of the task's result URLs. @throws {NoSuchTask} */
  expire(taskUUID: string): TaskState {
    const task = this.#find(taskUUID);
    for (const result of task.results) result.expired = true;
    return this.#describe(task);
  }

  /**
   * Sends a webhook of a task now, whatever the knobs say: `body`, or what a poll would be told.
   * Resolves when it was tried once. @throws {NoSuchTask}
   */
  async webhook(taskUUID: string, body?: unknown): Promise<TaskState> {
    const task = this.#find(taskUUID);
    await this.#parts.webhooks.send(task, body ?? this.#parts.answers.state(task));
    return this.#describe(task);
  }

  /** Moves the sandbox's time forward; all that has become due happens before this returns. */
  advance(ms: number): void {
    this.#parts.clock.advance(ms);
  }

  /** Makes all that is due happen; for an injected clock, which rings nobody. */
  tick(): void {
    this.#parts.clock.run();
  }

  /** Resolves with the task once it has ended, also when it was not submitted yet. */
  async settled(taskUUID: string): Promise<TaskState> {
    const { tasks, watchers } = this.#parts;
    await watchers.until(() => (tasks.get(taskUUID)?.endedAt ?? null) !== null, taskUUID);
    return this.#describe(this.#find(taskUUID));
  }

  /** Resolves once `predicate` holds, which is looked at after each change. */
  waitFor(predicate: (view: SandboxView) => boolean): Promise<void> {
    const { watchers, counts, webhooks } = this.#parts;
    return watchers.until(() =>
      predicate({
        counts,
        webhooksPending: webhooks.pending,
        task: (taskUUID) => this.task(taskUUID),
      })
    );
  }

  #find(taskUUID: string): RenderTask {
    const task = this.#parts.tasks.get(taskUUID);
    if (!task) throw new NoSuchTask(taskUUID);
    return task;
  }

  #describe(task: RenderTask): TaskState {
    const { clock, answers } = this.#parts;
    const finished = task.results.filter((result) => result.finishedAt !== null);
    return describeTask(task, {
      now: clock.now(),
      videoURLs: finished.map((result) => answers.url(result)),
    });
  }
}
