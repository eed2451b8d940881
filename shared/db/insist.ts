/** Writing down what must not be lost, though the database is away for a moment. */
import { sleep } from "../sleep.ts";
import { sqlState } from "./database.ts";

/** Between one try and the next: sixteen seconds in all. */
const PAUSES_MS = [250, 500, 1_000, 2_000, 4_000, 8_000];

/** SQLSTATEs of what passes (connections, locks, resources, time), and Node's names of broken connections. */
const PASSING = /^(08|40|53|55P03|57|E[A-Z]+$)/;
/** What the driver says without a code. */
const BROKEN = /^(Connection terminated|timeout e|Query read timeout)/i;

/** Whether the database may take the same call in a moment. */
export function isPassing(error: unknown): boolean {
  const code = sqlState(error);
  return code === undefined
    ? error instanceof Error && BROKEN.test(error.message)
    : PASSING.test(code);
}

/** How it is insisted. */
export interface Insisting {
  readonly pause?: ((milliseconds: number) => Promise<void>) | undefined;
  /** What is not insisted on, though it may pass. */
  readonly unless?: (error: unknown) => boolean;
}

/** Calls `write` until it succeeds, or fails for another reason, or has failed for a quarter of a minute. */
export async function insist(
  write: () => Promise<void>,
  { pause = sleep, unless = () => false }: Insisting = {},
): Promise<void> {
  for (const milliseconds of [...PAUSES_MS, undefined]) {
    try {
      return await write();
    } catch (error) {
      if (milliseconds === undefined || !isPassing(error) || unless(error)) throw error;
      await pause(milliseconds);
    }
  }
}
