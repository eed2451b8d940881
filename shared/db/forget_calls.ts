/** The SQL functions of deletion as typed calls. */
import { z } from "zod";
import type { Sql } from "./database.ts";
import { id, many, one } from "./rows.ts";

/** Names of one place at most: what one call to Storage deletes in good time. */
const MOST_NAMES = 100;

const dueDeletion = z.object({
  bucket_id: z.string(),
  prefix: z.string(),
  names: z.array(z.string()),
});
/** Objects that are to go: all whose names begin with `prefix`, of which `names` are there now. */
export type DueDeletion = z.infer<typeof dueDeletion>;

const erasure = z.object({ id: id, user_id: id });
/** An account that is not forgotten yet. */
export type Erasure = z.infer<typeof erasure>;

/** Leases deletions that are due. */
export const dueDeletions = (sql: Sql, most: number): Promise<DueDeletion[]> =>
  many(sql, dueDeletion, "select * from app.due_deletions($1, $2)", [most, MOST_NAMES]);

/** Says that Storage deleted the objects of these. */
export async function finishDeletions(sql: Sql, done: readonly DueDeletion[]): Promise<void> {
  const places = done.map(({ bucket_id, prefix, names }) => ({
    bucket_id,
    prefix,
    more: names.length >= MOST_NAMES,
  }));
  await sql.query("select app.finish_deletions($1)", [JSON.stringify(places)]);
}

/** Accounts that are not forgotten yet: first those that were tried longest ago. */
export const openErasures = (sql: Sql, most: number): Promise<Erasure[]> =>
  many(sql, erasure, "select * from app.open_erasures($1)", [most]);

/** Says that somebody begins with an erasure now. */
export async function beginErasure(sql: Sql, { id }: Erasure): Promise<void> {
  await sql.query("select app.begin_erasure($1)", [id]);
}

/** Deletes some of an account's rows. Answers whether all are gone. */
export const forgetRows = (sql: Sql, { user_id }: Erasure): Promise<boolean> =>
  one(sql, z.boolean(), "select app.forget_rows($1) as value", [user_id]);

/** Forgets some of the messages to an account. Answers whether all are forgotten. */
export const forgetMessages = (sql: Sql, { id }: Erasure): Promise<boolean> =>
  one(sql, z.boolean(), "select app.forget_messages($1) as value", [id]);

/** Closes an erasure if nothing is left of the account. */
export const finishErasure = (sql: Sql, { id }: Erasure): Promise<boolean> =>
  one(sql, z.boolean(), "select app.finish_erasure($1) as value", [id]);

/** Deletes videos that are past their retention. Answers how many. */
export const forgetOldVideos = (sql: Sql, most: number): Promise<number> =>
  one(sql, z.number(), "select app.forget_old_videos($1) as value", [most]);
