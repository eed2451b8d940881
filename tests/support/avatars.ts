/** Children's pictures and their parents' consent, in tests of the database alone. */
import type { Database, Sql } from "../../shared/db/database.ts";
import { asUser } from "./as_user.ts";
import type { Family } from "./fixtures.ts";

/** The consent text that the migrations bring. */
export const CONSENT_TEXT = "child-in-videos-1";

/** Puts a picture's row into Storage and makes it the child's. Answers its path. */
export async function addAvatar(sql: Sql, { userId, childId }: Family): Promise<string> {
  const path = `${userId}/${childId}.png`;
  await sql.query("insert into storage.objects (bucket_id, name) values ('avatars', $1)", [path]);
  await sql.query("update public.children set avatar_path = $2 where id = $1", [childId, path]);
  return path;
}

/** The parent agrees. */
export async function consent(db: Database, { userId, childId }: Family): Promise<void> {
  await asUser(db, userId, "select public.give_consent($1, $2)", [childId, CONSENT_TEXT]);
}

/** The parent agrees no more. */
export async function withdraw(db: Database, { userId, childId }: Family): Promise<void> {
  await asUser(db, userId, "select public.withdraw_consent($1)", [childId]);
}
