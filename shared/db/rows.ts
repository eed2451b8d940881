/** What a statement answers, checked. */
import type { z } from "zod";
import type { Sql } from "./database.ts";

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
