import { type Database, openDatabase } from "../../shared/db/database.ts";
import { createLog, type Log } from "../../shared/log.ts";
import { withDatabase } from "./database.ts";

/** A log that keeps silent. */
export const quiet: Log = createLog({}, () => {});

/** A fresh database, spoken to the way the workers do; twenty connections, for races. */
export async function withSql(work: (db: Database) => Promise<void>): Promise<void> {
  await withDatabase(async ({ url }) => {
    const db = openDatabase(url, { log: quiet, max: 20 });
    try {
      await work(db);
    } finally {
      await db.close();
    }
  });
}
