/** Users by the thousand, made in a few statements: what comes after is what is measured. */
import type { BenchDatabase } from "../database.ts";
import type { Family } from "../../support/fixtures.ts";

/** Gems of everyone; nobody is to run out. */
export const GEMS = 1_000_000;

/** Signs so many people up, each with a child and gems from a purchase. */
export async function newCrowd(
  database: BenchDatabase,
  count: number,
  { tier = "free" }: { readonly tier?: "free" | "premium" } = {},
): Promise<Family[]> {
  const ids = Array.from({ length: count }, () => crypto.randomUUID());
  await database.rows(
    "insert into auth.users (id, email) select u, u || '@example.com' from unnest($1::uuid[]) u",
    [ids],
  );
  await database.rows("update public.users set tier = $2 where id = any ($1)", [ids, tier]);
  await database.rows(
    `select count(public.grant_gems(u, $2, 'purchase', 'Bench', u::text)) from unnest($1::uuid[]) u`,
    [ids, GEMS],
  );
  const children = await database.rows<{ id: string; user_id: string }>(
    "insert into public.children (user_id, name) select u, 'Mia' from unnest($1::uuid[]) u returning id, user_id",
    [ids],
  );
  await database.rows("analyze public.users, public.children, public.gem_entries");
  return children.map((child) => ({ userId: child.user_id, childId: child.id }));
}

/** Nobody is held back by what the shop allows one user, nor by what the provider may do at once. */
export async function liftLimits(database: BenchDatabase): Promise<void> {
  await database.rows("update app.settings set queue_limit = 100000");
  await database.rows("update app.providers set max_in_flight = 100000");
}
