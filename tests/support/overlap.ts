/** Two transactions that really overlap, without luck. */
import type { Database, Sql } from "../../shared/db/database.ts";

/** What came of two sides at once. */
export interface Overlap<First, Second> {
  readonly first: First;
  readonly second: Second;
  /** Whether the second had to wait for a lock of the first. */
  readonly waited: boolean;
}

/**
 * Does `first` in a transaction and keeps it open while `second` runs; commits as soon as `second` is
 * over or waits for a lock, and `meanwhile` is done. Rejects with the failure of any.
 */
export async function overlapping<First, Second>(
  db: Database,
  first: (sql: Sql) => Promise<First>,
  second: () => Promise<Second>,
  meanwhile: () => Promise<unknown> = () => Promise.resolve(),
): Promise<Overlap<First, Second>> {
  const { pending, ...done } = await db.transaction(async (sql) => {
    const result = await first(sql);
    const pending = second();
    let isOver = false;
    const end = () => isOver = true;
    pending.then(end, end);
    let waited = false;
    while (!isOver && !waited) waited = await someoneWaits(db);
    await meanwhile();
    return { first: result, pending, waited };
  });
  return { ...done, second: await pending };
}

/** Whether any statement in this database waits for a lock. */
export async function someoneWaits(sql: Sql): Promise<boolean> {
  const rows = await sql.query(
    "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
  );
  return rows.length > 0;
}
