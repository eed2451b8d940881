/** A batch, and one of each provider that has work at the same time. */
import type { Log } from "../log.ts";
import type { VideoProvider } from "../providers/provider.ts";

/** A step's answer. */
export interface Batch {
  /** Pieces of work taken. */
  readonly taken: number;
  /** The fullest provider's share of what one batch takes, 0 to 1. At 1 more may be waiting for it. */
  readonly fullness: number;
}

/** A batch as full as this shares its calls well enough: to wait longer would only be later. */
export const FULL_ENOUGH = 3 / 4;

/**
 * A batch of each of these providers, at the same time; one that has no key here is left to whoever has
 * it. While a slow one is at its batch, the others go on as long as theirs are full. One that fails is
 * logged and keeps nobody from theirs; where nothing else was done, its error is thrown.
 */
export async function batchOfEach(
  names: readonly string[],
  { providers, log }: {
    readonly providers: ReadonlyMap<string, VideoProvider>;
    readonly log: Log;
  },
  work: (provider: VideoProvider) => Promise<Batch>,
): Promise<Batch> {
  const here = names.flatMap((name) => providers.get(name) ?? []);
  const failures: unknown[] = [];
  let atFirst = here.length;
  let taken = 0;
  let fullness = 0;

  const takeOne = async (provider: VideoProvider): Promise<Batch> => {
    const batch = await work(provider).catch((error: unknown) => {
      log.error("A batch failed", { provider: provider.name, error });
      failures.push(error);
      return { taken: 0, fullness: 0 };
    });
    taken += batch.taken;
    fullness = Math.max(fullness, batch.fullness);
    return batch;
  };
  const batchesOf = async (provider: VideoProvider): Promise<void> => {
    let batch = await takeOne(provider);
    atFirst -= 1;
    while (batch.fullness === 1 && atFirst > 0) batch = await takeOne(provider);
  };
  await Promise.all(here.map(batchesOf));
  if (failures.length > 0 && taken === 0) throw failures[0];
  return { taken, fullness };
}
