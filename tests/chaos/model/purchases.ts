/** Nothing is bought twice: what may be bought beside what, by the provider's own record. */
import type { Task } from "./provider.ts";
import { type Cause, findAttempt, type Model, PROVIDERS, Unexplained } from "./state.ts";

/** Looks at purchases in the order in which they were made. */
export class Purchases {
  #seen = 0;
  /** Sold to a worker that held the attempt no longer. */
  readonly #toSleepers = new Set<Task>();

  /** Sold to workers that slept past their lease, so far. */
  get toSleepers(): number {
    return this.#toSleepers.size;
  }

  /** Throws where something was bought that may not be. `model`: as it was before the step. */
  check(model: Model, tasks: readonly Task[]): void {
    for (; this.#seen < tasks.length; this.#seen++) {
      const task = tasks[this.#seen];
      if (task === undefined) return;
      // KNOWN, and left out until it is mended: a worker that froze with the call before it, woke after
      // its lease and asks for what others have taken over or given up.
      if (!isHeld(model, task)) this.#toSleepers.add(task);
      else this.#checkOne(model, task, tasks.slice(0, this.#seen));
    }
  }

  #checkOne(model: Model, task: Task, before: readonly Task[]): void {
    const { video } = findAttempt(model, task.attempt);
    for (const other of before) {
      if (this.#toSleepers.has(other)) continue;
      const earlier = findAttempt(model, other.attempt);
      if (earlier.video.id !== video.id) continue;
      if (other.attempt === task.attempt) {
        throw new Unexplained(`Attempt ${task.attempt} was bought twice`);
      }
      if (!mayBeBoughtAgain(model, other, earlier.attempt.cause)) {
        throw new Unexplained(
          `Attempt ${task.attempt} was bought though the provider has ${other.attempt} ` +
            `(${other.ending ?? "being made"}), which is over for: ${earlier.attempt.cause}`,
        );
      }
    }
  }
}

/** Whether the worker that asked for the task still held its attempt. */
export function isHeld(
  model: Model,
  { attempt: id, node }: Pick<Task, "attempt" | "node">,
): boolean {
  const { account, attempt } = findAttempt(model, id);
  return !account.gone && attempt.status === "claimed" && attempt.node === node &&
    attempt.leaseUntil > model.now;
}

/** Whether another attempt may be bought although this one was. */
function mayBeBoughtAgain(model: Model, { ending }: Task, cause: Cause | null): boolean {
  switch (cause) {
    case "failed":
      return ending !== null && ending !== "succeeded";
    // The provider had its time, or says that it has no such task and never will.
    case "deadline":
    case "missing":
    case "a webhook's word":
      return true;
    // The operator's own choice.
    case "unknown outcome":
      return PROVIDERS[model.provider].unknown === "retry";
    case "refused":
    case "claims used up":
    case "video failed":
    case null:
      return false;
  }
}
