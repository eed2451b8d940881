/** What a statement answers, checked: the database is another program. */
import { z } from "zod";
import type { Sql } from "./database.ts";

/** A whole number, also where Postgres sends it as text. */
export const count = z.coerce.number().int();

/**
 * An id. Not z.uuid(): Postgres takes ids that are of no version of RFC 9562, and whoever makes users may
 * choose such.
 */
export const id = z.guid();

/** What became of an attempt that was to be changed. */
export const changed = z.object({ video_job_id: id, result: z.string() });

/** The one value of a statement that answers one row with a column "value". */
export async function one<T>(
  sql: Sql,
  type: z.ZodType<T>,
  text: string,
  values: unknown[],
): Promise<T> {
  const [row] = await sql.query(text, values);
  return type.parse(row?.["value"]);
}

/** The rows of a statement. */
export async function many<T>(
  sql: Sql,
  type: z.ZodType<T>,
  text: string,
  values: unknown[],
): Promise<T[]> {
  return (await sql.query(text, values)).map((row) => type.parse(row));
}
