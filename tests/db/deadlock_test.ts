import { assertEquals, assertRejects } from "@std/assert";
import { type Database, openDatabase, type Sql } from "../../shared/db/database.ts";
import { type TestDatabase, withDatabase } from "../support/database.ts";
import { withinAsUser } from "../support/as_user.ts";
import { newFamily, queueVideo, value } from "../support/fixtures.ts";
import { until } from "../support/until.ts";
import { quiet, withSql } from "../support/sql.ts";

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

Deno.test("videos are deleted all the same when Postgres ends that for a worker that waits out of order", async () => {
  await withSql(async (db, { pool }) => {
    const family = await newFamily(db, { gems: 20 });
    const videos = [await queueVideo(db, family), await queueVideo(db, family)]
      .map(({ video_id }) => video_id).toSorted();
    const lock = (sql: Sql, id: unknown) =>
      sql.query("select from public.videos where id = $1 for no key update", [id]);
    /** As through PostgREST, which runs nothing again. */
    const deleteAll = async () => {
      const client = await pool.connect();
      const sql = {
        query: async (text: string, values: readonly unknown[] = []) =>
          (await client.query(text, values.slice())).rows,
      };
      try {
        await sql.query("begin");
        await withinAsUser(sql, family.userId, "select public.delete_videos($1)", [videos]);
        await sql.query("commit");
      } finally {
        client.release(true);
      }
    };
    let deleting: Promise<unknown> | undefined;
    await db.transaction(async (worker) => {
      await worker.query("set local deadlock_timeout = '1min'");
      await lock(worker, videos[1]);
      deleting = deleteAll();
      // Seen to below; until then nobody looks.
      deleting.catch(() => {});
      await until("the deletion has the first and waits for the second", async () => {
        const waiting = await db.query("select 1 from pg_locks where not granted");
        return waiting.length > 0 ? true : undefined;
      });
      await lock(worker, videos[0]);
    });
    await deleting;
    assertEquals(await db.query("select id from public.videos"), []);
  });
});

/** A worker's database with one connection, which gives a statement a second. */
function withOneConnection(
  work: (db: Database, plain: TestDatabase) => Promise<void>,
): Promise<void> {
  return withDatabase(async (plain) => {
    const db = openDatabase(`${plain.url}?query_timeout=1000`, { log: quiet, max: 1 });
    try {
      await work(db, plain);
    } finally {
      await db.close();
    }
  });
}

Deno.test("a connection that Postgres ends in the middle of a transaction is not used again", () =>
  withOneConnection(async (db, plain) => {
    const pidOf = (sql: Sql) => value(sql, "select pg_backend_pid() as value");
    let killed: unknown;
    await assertRejects(() =>
      db.transaction(async (sql) => {
        killed = await pidOf(sql);
        // Waits until it is gone.
        await plain.rows("select pg_terminate_backend($1, 60000)", [killed]);
        await sql.query("select 1");
      })
    );
    assertEquals(await pidOf(db) === killed, false);
  }));

Deno.test("a connection whose statement never ends is not used again", () =>
  withOneConnection(async (db, { pool }) => {
    const holder = await pool.connect();
    try {
      await holder.query("select pg_advisory_lock(1)");
      await assertRejects(
        () => db.transaction((sql) => sql.query("select pg_advisory_lock(1)")),
        Error,
        "timeout",
      );
      assertEquals(await value(db, "select 1 as value"), 1);
    } finally {
      holder.release(true);
    }
  }));

Deno.test("a transaction is ended when its worker falls silent, or it runs or waits for too long; its connection goes on without limits", () =>
  withOneConnection(async (db) => {
    const limits = async (sql: Sql) =>
      (await sql.query(
        `select current_setting(name) as value
         from unnest('{idle_in_transaction_session_timeout,statement_timeout,lock_timeout}'::text[]) as s (name)`,
      )).map((row) => row["value"]);
    assertEquals(await db.transaction(limits), ["15s", "30s", "10s"]);
    assertEquals(await limits(db), ["0", "0", "0"]);
  }));
