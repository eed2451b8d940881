/** The SQL functions of deletion as typed calls. */
import { z } from "zod";
import type { Sql } from "./database.ts";

/** How many names app.due_deletions tells of one place at most. */
const MOST_NAMES = 100;

const dueDeletion = z.object({
  bucket_id: z.string(),
  prefix: z.string(),
  names: z.array(z.string()),
});
/** Objects that are to go: all whose names begin with `prefix`, of which `names` are there now. */
export type DueDeletion = z.infer<typeof dueDeletion>;

const erasure = z.object({ id: z.uuid(), user_id: z.uuid() });
/** An account that is not forgotten yet. */
export type Erasure = z.infer<typeof erasure>;

/** Leases deletions that are due. */
export async function dueDeletions(sql: Sql, most: number): Promise<DueDeletion[]> {
  return z.array(dueDeletion).parse(await sql.query("select * from app.due_deletions($1)", [most]));
}

/** Says that Storage deleted the objects of these. Answers how many are not done yet. */
export async function finishDeletions(
  sql: Sql,
  done: readonly DueDeletion[],
): Promise<number> {
  const places = done.map(({ bucket_id, prefix, names }) => ({
    bucket_id,
    prefix,
    more: names.length >= MOST_NAMES,
  }));
  const [row] = await sql.query("select app.finish_deletions($1) as value", [
    JSON.stringify(places),
  ]);
  return z.number().parse(row?.["value"]);
}

/** Accounts that are not forgotten yet: first those that were tried longest ago. */
export async function openErasures(sql: Sql, most: number): Promise<Erasure[]> {
  return z.array(erasure).parse(await sql.query("select * from app.open_erasures($1)", [most]));
}

/** Says that somebody begins with an erasure now. */
export async function beginErasure(sql: Sql, { id }: Erasure): Promise<void> {
  await sql.query("select app.begin_erasure($1)", [id]);
}

/** Deletes some of an account's rows. Answers whether all are gone. */
export async function forgetRows(sql: Sql, { user_id }: Erasure): Promise<boolean> {
  const [row] = await sql.query("select app.forget_rows($1) as value", [user_id]);
  return z.boolean().parse(row?.["value"]);
}

/** Forgets some of the messages to an account. Answers whether all are forgotten. */
export async function forgetMessages(sql: Sql, { id }: Erasure): Promise<boolean> {
  const [row] = await sql.query("select app.forget_messages($1) as value", [id]);
  return z.boolean().parse(row?.["value"]);
}

/** Closes an erasure if nothing is left of the account. */
export async function finishErasure(sql: Sql, { id }: Erasure): Promise<boolean> {
  const [row] = await sql.query("select app.finish_erasure($1) as value", [id]);
  return z.boolean().parse(row?.["value"]);
}

/** Deletes videos that are past their retention. Answers how many. */
export async function forgetOldVideos(sql: Sql, most: number): Promise<number> {
  const [row] = await sql.query("select app.forget_old_videos($1) as value", [most]);
  return z.number().parse(row?.["value"]);
}
