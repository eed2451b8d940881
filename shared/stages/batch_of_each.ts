/** A batch, and one of each provider that has work at the same time. */
import type { Log } from "../log.ts";
import type { VideoProvider } from "../providers/provider.ts";
import { sleep } from "../sleep.ts";

/** A step's answer. */
export interface Batch {
  /** Pieces of work taken. */
  readonly taken: number;
  /** The fullest provider's share of what one batch takes, 0 to 1. At 1 more may be waiting for it. */
  readonly fullness: number;
}

/** A batch as full as this shares its calls well enough: to wait longer would only be later. */
export const FULL_ENOUGH = 3 / 4;

/** While a provider is at its batch, those that are not are looked at this often. Milliseconds. */
const LOOK_AGAIN_MS = 500;
/** For so long, in milliseconds: a worker's life has an end, see drain.ts. */
const LOOKING_MS = 20_000;

/** What batches are taken with. */
export interface EachTools {
  readonly providers: ReadonlyMap<string, VideoProvider>;
  readonly log: Log;
  readonly now?: () => number;
  readonly pause?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/**
 * A batch of each provider that has work, at the same time; one that has no key here is left to whoever
 * has it. While a slow one is at its batch, the others go on as long as theirs are full, and are looked
 * at again for what comes in meanwhile. One that fails is logged and keeps nobody from theirs; where
 * nothing else was done, its error is thrown. `look` names the providers that have work.
 */
export async function batchOfEach(
  look: () => Promise<readonly string[]>,
  { providers, log, now = () => performance.now(), pause = sleep }: EachTools,
  work: (provider: VideoProvider) => Promise<Batch>,
): Promise<Batch> {
  const until = now() + LOOKING_MS;
  const atWork = new Map<string, Promise<void>>();
  /** Of those that had work at the first look, the ones whose first batch is not over. */
  const atFirst = new Set<string>();
  const failed = new Map<string, unknown>();
  let taken = 0;
  let fullness = 0;

  const takeOne = async (provider: VideoProvider): Promise<Batch> => {
    const batch = await work(provider).catch((error: unknown) => {
      log.error("A batch failed", { provider: provider.name, error });
      failed.set(provider.name, error);
      return { taken: 0, fullness: 0 };
    });
    atFirst.delete(provider.name);
    taken += batch.taken;
    fullness = Math.max(fullness, batch.fullness);
    return batch;
  };
  const isWaitedFor = () => atFirst.size > 0 && now() < until;
  const batchesOf = async (provider: VideoProvider): Promise<void> => {
    let batch = await takeOne(provider);
    while (batch.fullness === 1 && isWaitedFor()) batch = await takeOne(provider);
    atWork.delete(provider.name);
  };
  const begin = async ({ isFirst }: { readonly isFirst: boolean }): Promise<void> => {
    for (const name of await look()) {
      const provider = providers.get(name);
      if (provider === undefined || atWork.has(name) || failed.has(name)) continue;
      if (isFirst) atFirst.add(name);
      atWork.set(name, batchesOf(provider));
    }
  };

  await begin({ isFirst: true });
  while (isWaitedFor()) {
    const over = new AbortController();
    const all = Promise.all(atWork.values()).finally(() => over.abort());
    await Promise.race([all, pause(LOOK_AGAIN_MS, over.signal)]);
    if (!isWaitedFor()) break;
    // Those at work are waited for all the same.
    await begin({ isFirst: false }).catch((error: unknown) =>
      log.warn("Could not look what else is due", { error })
    );
  }
  await Promise.all(atWork.values());
  if (failed.size > 0 && taken === 0) throw [...failed.values()][0];
  return { taken, fullness };
}
