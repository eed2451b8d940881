import { type Database, openDatabase } from "../../shared/db/database.ts";
import { createLog, type Log } from "../../shared/log.ts";
import { type TestDatabase, withDatabase } from "./database.ts";

/** A log that keeps silent. */
export const quiet: Log = createLog({}, () => {});

/**
 * A fresh database, spoken to the way the workers do; twenty connections, for races. What Postgres ends
 * for a deadlock is run again, as theirs is; what goes through `plain` is not.
 */
export async function withSql(
  work: (db: Database, plain: TestDatabase) => Promise<void>,
): Promise<void> {
  await withDatabase(async (plain) => {
    const db = openDatabase(plain.url, { log: quiet, max: 20 });
    try {
      await work(db, plain);
    } finally {
      await db.close();
    }
  });
}
