/** Nothing is bought twice: what may be bought beside what, by the provider's own record. */
import type { Task } from "./provider.ts";
import { type Cause, findAttempt, type Model, PROVIDERS, Unexplained } from "./state.ts";

/** Looks at purchases in the order in which they were made. */
export class Purchases {
  #seen = 0;
  /** Sold for attempts that were over by then. */
  readonly #late = new Set<Task>();

  /** Sold while an attempt was ended, so far: whoever had the call before it could not know. */
  get late(): number {
    return this.#late.size;
  }

  /** Throws where something was bought that may not be. `model`: as it was before the step. */
  check(model: Model, tasks: readonly Task[]): void {
    for (; this.#seen < tasks.length; this.#seen++) {
      const task = tasks[this.#seen];
      if (task !== undefined) this.#checkOne(model, task, tasks.slice(0, this.#seen));
    }
  }

  #checkOne(model: Model, task: Task, before: readonly Task[]): void {
    if (!isInTime(model, task)) {
      throw new Unexplained(`Attempt ${task.attempt} was asked for after the worker's lease`);
    }
    const { video, attempt } = findAttempt(model, task.attempt);
    if (attempt.status !== "claimed") this.#late.add(task);
    for (const other of before) {
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

/** Whether the lease of the worker that asks runs, and nobody else has taken over. */
export function isInTime(
  model: Model,
  { attempt: id, node }: Pick<Task, "attempt" | "node">,
): boolean {
  const { attempt } = findAttempt(model, id);
  return attempt.node === node && attempt.leaseUntil > model.now;
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
      return PROVIDERS[model.setting.provider].unknown === "retry";
    case "refused":
    case "claims used up":
    case "video failed":
    case null:
      return false;
  }
}
