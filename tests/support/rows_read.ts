/** How much of a table a statement reads. */
import type { Sql } from "../../shared/db/database.ts";
import { value } from "./fixtures.ts";

/** How many rows of public.videos `work` reads, in a transaction. */
export async function videosRead(sql: Sql, work: () => Promise<unknown>): Promise<number> {
  const read = async () =>
    Number(
      await value(
        sql,
        `select seq_tup_read + idx_tup_fetch as value from pg_stat_xact_user_tables
         where relid = 'public.videos'::regclass`,
      ),
    );
  const before = await read();
  await work();
  return await read() - before;
}
