/** The two lanes of a worker: each takes batch after batch, under a name of its own. */
import type { Batch } from "./batch_of_each.ts";

/** What a worker's lanes took, together, and what failed in them. */
export class Lanes {
  /** Batches that had work in them. */
  batches = 0;
  /** Pieces of work taken. */
  work = 0;
  readonly failures: unknown[] = [];
  readonly #step: (node: string) => Promise<Batch>;
  #second: Promise<void> | undefined;

  constructor(step: (node: string) => Promise<Batch>) {
    this.#step = step;
  }

  /** Takes a batch in the lane of this name. One that fails is noted, and is empty. */
  async take(lane: string): Promise<Batch> {
    const batch = await this.#step(lane).catch((error: unknown) => {
      this.failures.push(error);
      return { taken: 0, fullness: 0 };
    });
    if (batch.taken > 0) this.batches += 1;
    this.work += batch.taken;
    return batch;
  }

  /** Opens the second lane, unless it is open: it goes on for as long as its batches are full. */
  openSecond(node: string, isLate: () => boolean): void {
    this.#second ??= this.#runSecond(node, isLate);
  }

  /** Resolves when the second lane has ended, at once where it is not open. */
  async secondEnds(): Promise<void> {
    await this.#second;
  }

  async #runSecond(node: string, isLate: () => boolean): Promise<void> {
    while (!isLate() && (await this.take(`${node} lane 2`)).fullness === 1);
    this.#second = undefined;
  }
}
