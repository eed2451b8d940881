import { assertEquals } from "@std/assert";
import type { Database, Sql } from "../../shared/db/database.ts";
import { until } from "../support/until.ts";
import { withSql } from "../support/sql.ts";

const TABLE = "create table public.counters (id integer primary key, n integer not null default 0)";

const add = (sql: Sql, id: number) =>
  sql.query(`update public.counters set n = n + 1 where id = ${id}`);

/** Takes 2 and then 1, as one statement that is a transaction of its own. */
const ADD_BACKWARDS = `do $$ begin
  update public.counters set n = n + 1 where id = 2;
  update public.counters set n = n + 1 where id = 1;
end $$`;

/** Meets `other`, which has 2 and waits for 1, while holding 1; and is patient, so it is not the victim. */
async function crossing(db: Database, other: () => Promise<unknown>): Promise<void> {
  await db.query(TABLE);
  await db.query("insert into public.counters (id) values (1), (2)");
  let met: Promise<unknown> | undefined;
  await db.transaction(async (sql) => {
    await sql.query("set local deadlock_timeout = '1min'");
    await add(sql, 1);
    met = other();
    await until("the other one waits for us", async () => {
      const waiting = await db.query("select 1 from pg_locks where not granted");
      return waiting.length > 0 ? true : undefined;
    });
    await add(sql, 2);
  });
  await met;
  const counters = await db.query("select n from public.counters order by id");
  assertEquals(counters, [{ n: 2 }, { n: 2 }]);
}

// pg-boss sweeps over rows that our transactions take one by one (found by the model-based test).
Deno.test("a statement that Postgres ends for a deadlock is run again", async () => {
  await withSql((db) => crossing(db, () => db.query(ADD_BACKWARDS)));
});

Deno.test("a transaction that Postgres ends for a deadlock is run again", async () => {
  await withSql((db) =>
    crossing(db, () =>
      db.transaction(async (sql) => {
        await add(sql, 2);
        await add(sql, 1);
      }))
  );
});
