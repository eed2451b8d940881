/** The plans of everything that runs inside of the product's functions, as auto_explain tells them. */
import pg from "pg";
import type { Database, Sql } from "../../../shared/db/database.ts";

/**
 * Tables that grow with the business; a sequential scan of one of them is what must not be. A queue's
 * empty neighbours (they cost nothing) may be looked through.
 */
const GROWING =
  /Seq Scan on (videos|video_jobs|video_progress|gem_entries|users|children|deleted_videos|notifications|job|j[0-9a-f]{50,})\b(?!.*cost=0\.00\.\.0\.00)/;

/** Runs `work` on a connection that tells its plans. Answers them, one a statement. */
export async function plansOf(
  url: string,
  work: (database: Database) => Promise<void>,
): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const plans: string[] = [];
  client.on("notice", ({ message }) => {
    if (message?.includes("Query Text:")) plans.push(message);
  });
  try {
    await client.query(`load 'auto_explain'; set auto_explain.log_min_duration = 0;
      set auto_explain.log_nested_statements = on; set auto_explain.log_verbose = off;
      set client_min_messages = log`);
    const sql: Sql = {
      query: async (text, values) => {
        const result: pg.QueryResult | pg.QueryResult[] = await client.query(text, values?.slice());
        return Array.isArray(result) ? result.flatMap((one) => one.rows) : result.rows;
      },
    };
    await work({
      ...sql,
      async transaction(inside) {
        await client.query("begin");
        const result = await inside(sql);
        await client.query("commit");
        return result;
      },
      close: () => Promise.resolve(),
    });
    return plans;
  } finally {
    await client.end();
  }
}

/** Throws for a plan that reads a growing table from end to end. */
export function assertNoSeqScan(plans: readonly string[]): void {
  if (plans.length === 0) throw new Error("No plans were told");
  for (const plan of plans) {
    if (GROWING.test(plan)) throw new Error(`A growing table is read from end to end:\n${plan}`);
  }
}
