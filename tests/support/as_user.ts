/** Speaking to the database as a signed-in user does through PostgREST. */
import type { Database, Sql } from "../../shared/db/database.ts";

/** Runs one statement in the role `authenticated` with this user's claims. */
export function asUser(
  db: Database,
  userId: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<Record<string, unknown>[]> {
  return db.transaction((sql) => withinAsUser(sql, userId, text, values));
}

/** The same in a transaction that the caller ends. */
export async function withinAsUser(
  sql: Sql,
  userId: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<Record<string, unknown>[]> {
  await sql.query("select set_config('role', 'authenticated', true)");
  await sql.query("select set_config('request.jwt.claims', $1, true)", [
    JSON.stringify({ sub: userId, role: "authenticated" }),
  ]);
  return await sql.query(text, values);
}
