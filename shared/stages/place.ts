/** A worker's place at a stage, held by a lease while it works. */
import type { Database } from "../db/database.ts";
import { renewDrain } from "../db/drain_calls.ts";

/** Leases last 30 s by default and 5 s at least (drain_lease_seconds). */
const RENEW_EVERY_MS = 2_000;

/**
 * Renews the lease every two seconds, however long a step takes. `onLost` hears that the place is gone:
 * the lease had run out, or the place was given up meanwhile. Answers what ends it.
 */
export function keepPlace(
  { database, node, renewEveryMs = RENEW_EVERY_MS }: {
    readonly database: Database;
    readonly node: string;
    readonly renewEveryMs?: number;
  },
  stage: string,
  onLost: () => void = () => {},
): () => void {
  const renew = async () => {
    if (!await renewDrain(database, stage, node)) onLost();
  };
  // Where the database does not answer, the work itself fails and says so.
  const timer = setInterval(() => void renew().catch(() => {}), renewEveryMs);
  return () => clearInterval(timer);
}
