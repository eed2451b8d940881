/** Rows that somebody locks and does not let go, as an operator's open transaction does. */
import type { Database, Sql } from "../../shared/db/database.ts";

/** An open transaction. Disposed of, it is undone. */
export interface Held extends AsyncDisposable {
  letGo(): Promise<void>;
}

/** Does `lock` in a transaction that is left open. */
export async function hold(db: Database, lock: (sql: Sql) => Promise<unknown>): Promise<Held> {
  const isLocked = Promise.withResolvers<void>();
  const end = Promise.withResolvers<void>();
  const undo = new Error("Let go");
  const open = db.transaction(async (sql) => {
    await sql.query("set local idle_in_transaction_session_timeout = 0");
    await lock(sql);
    isLocked.resolve();
    await end.promise;
    throw undo;
  }).catch((error: unknown) => {
    isLocked.reject(error);
    if (error !== undo) throw error;
  });
  await isLocked.promise;
  const letGo = async () => {
    end.resolve();
    await open;
  };
  return { letGo, [Symbol.asyncDispose]: letGo };
}

/** Holds one row. */
export function holdRow(db: Database, table: string, id: string): Promise<Held> {
  return hold(db, (sql) => sql.query(`select from ${table} where id = $1 for update`, [id]));
}

/** A worker's database, in which nobody waits for a lock for as long as workers do. */
export function impatient(db: Database): Database {
  const transaction: Database["transaction"] = (work) =>
    db.transaction(async (sql) => {
      await sql.query("set local lock_timeout = '2s'");
      return await work(sql);
    });
  return {
    ...db,
    transaction,
    query: (text, values) => transaction((sql) => sql.query(text, values)),
  };
}
