/**
 * Waits in real time (for slow replies, which no injected clock can hold back). All of them end
 * early when the sandbox closes, so that no timer outlives it.
 */
export class Delays {
  readonly #open = new Map<ReturnType<typeof setTimeout>, () => void>();
  #closed = false;

  /** Resolves after `ms`, or at once when closed. */
  wait(ms: number): Promise<void> {
    if (this.#closed || ms <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#open.delete(timer);
        resolve();
      }, ms);
      this.#open.set(timer, resolve);
    });
  }

  close(): void {
    this.#closed = true;
    for (const [timer, resolve] of this.#open) {
      clearTimeout(timer);
      resolve();
    }
    this.#open.clear();
  }
}
