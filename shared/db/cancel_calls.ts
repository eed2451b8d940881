/** The SQL functions of cancelling at a provider as typed calls. */
import { z } from "zod";
import type { Sql } from "./database.ts";
import { id, many } from "./rows.ts";

const dueCancellation = z.object({
  video_job_id: id,
  provider_task_id: z.string(),
  is_last: z.boolean(),
});
/** Leases tasks that the provider is to be told to stop. `is_last`: after this try it is given up. */
export const dueCancellations = (
  sql: Sql,
  { provider, most }: { readonly provider: string; readonly most: number },
) => many(sql, dueCancellation, "select * from app.due_cancellations($1, $2)", [provider, most]);

/** Says that these are stopped, not known, or given up. */
export async function finishCancellations(sql: Sql, jobIds: readonly string[]): Promise<void> {
  await sql.query("select app.finish_cancellations($1)", [jobIds]);
}
