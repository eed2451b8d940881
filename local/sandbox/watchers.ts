interface Watcher {
  readonly isMet: () => boolean;
  readonly resolve: () => void;
  readonly reject: (reason: Error) => void;
}

/**
 * Promises that are kept when something about the sandbox has become true; no polling, no sleep.
 */
export class Watchers {
  readonly #ofAnything = new Set<Watcher>();
  /** By the task they wait for, so that an end of one task does not look at thousands of others. */
  readonly #ofTask = new Map<string, Set<Watcher>>();

  /**
   * Resolves once `isMet` holds, which is looked at now and after each change; with `taskUUID`,
   * only after changes of that task.
   */
  until(isMet: () => boolean, taskUUID?: string): Promise<void> {
    if (isMet()) return Promise.resolve();
    const watchers = taskUUID === undefined ? this.#ofAnything : this.#of(taskUUID);
    return new Promise((resolve, reject) => watchers.add({ isMet, resolve, reject }));
  }

  /** To be called after each change. */
  changed(taskUUID?: string): void {
    keepMet(this.#ofAnything);
    if (taskUUID === undefined) return;
    const watchers = this.#of(taskUUID);
    keepMet(watchers);
    if (watchers.size === 0) this.#ofTask.delete(taskUUID);
  }

  /** Rejects everybody who still waits. */
  giveUp(reason: string): void {
    for (const watchers of [this.#ofAnything, ...this.#ofTask.values()]) {
      for (const { reject } of watchers) reject(new Error(reason));
      watchers.clear();
    }
    this.#ofTask.clear();
  }

  #of(taskUUID: string): Set<Watcher> {
    const watchers = this.#ofTask.get(taskUUID) ?? new Set<Watcher>();
    this.#ofTask.set(taskUUID, watchers);
    return watchers;
  }
}

function keepMet(watchers: Set<Watcher>): void {
  for (const watcher of watchers) {
    if (!watcher.isMet()) continue;
    watchers.delete(watcher);
    watcher.resolve();
  }
}
