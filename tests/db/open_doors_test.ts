import { assert, assertEquals } from "@std/assert";
import type { Database } from "../../shared/db/database.ts";
import { value } from "../support/fixtures.ts";
import { withSql } from "../support/sql.ts";
import { USER_FUNCTIONS } from "../support/user_functions.ts";

const closed = (db: Database) =>
  value(db, "select public.health_report() -> 'doors_closed' as value");
const open = async (db: Database) =>
  (await db.query("select o from app.open_doors() o")).map((row) => row["o"]);

Deno.test("health says whether the doors are closed; each right too many opens one, and is named", async () => {
  await withSql(async (db) => {
    assertEquals(await closed(db), true);
    assertEquals(await open(db), []);
    const functions = await db.transaction(async (sql) => {
      await sql.query("select set_config('search_path', '', true)");
      return await sql.query(
        `select p.oid::regprocedure::text as signature, p.proname from pg_proc p
         where p.pronamespace = 'public'::regnamespace`,
      );
    });
    assert(functions.length >= 25);
    for (const { signature, proname } of functions) {
      for (const role of ["anon", "authenticated"]) {
        const theirs = role === "authenticated" && USER_FUNCTIONS.includes(String(proname));
        if (!theirs) await db.query(`grant execute on function ${signature} to ${role}`);
        assertEquals(await closed(db), theirs, `${signature}, ${role}`);
        assertEquals(await open(db), theirs ? [] : [`${signature} may be executed by ${role}`]);
        if (!theirs) await db.query(`revoke execute on function ${signature} from ${role}`);
      }
    }
    assertEquals(await closed(db), true);
  });
});

const LOSSES: Readonly<Record<string, string>> = {
  "public.later has no row-level security": "create table public.later (id integer)",
  "auth.users has no trigger create_user": "drop trigger create_user on auth.users",
};

for (const [told, loss] of Object.entries(LOSSES)) {
  Deno.test(`an open door: ${told}`, async () => {
    await withSql(async (db) => {
      await db.query(loss);
      assertEquals(await closed(db), false);
      assertEquals(await open(db), [told]);
    });
  });
}

Deno.test("a trigger that is switched off follows no sign-ups; follow_sign_ups makes up for it", async () => {
  await withSql(async (db) => {
    const signUp = () => db.query("insert into auth.users (id) values (gen_random_uuid())");
    await db.query("alter table auth.users disable trigger create_user");
    await signUp();
    assertEquals(await open(db), ["auth.users has no trigger create_user"]);
    await db.query("drop trigger create_user on auth.users");
    assertEquals(await value(db, "select app.follow_sign_ups() as value"), 1);
    assertEquals(await closed(db), true);
    await signUp();
    assertEquals(await value(db, "select app.follow_sign_ups() as value"), 0);
  });
});

Deno.test("what an extension brings to public opens no door", async () => {
  await withSql(async (db) => {
    await db.query("drop extension pgcrypto");
    await db.query("create extension pgcrypto schema public");
    await db.query("grant execute on all functions in schema public to service_role");
    await db.query("grant execute on function public.gen_salt(text) to anon");
    assertEquals(await closed(db), true);
  });
});
