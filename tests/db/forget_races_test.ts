import { assert, assertEquals } from "@std/assert";
import type { Sql } from "../../shared/db/database.ts";
import { asUser } from "../support/as_user.ts";
import { addOldVideos } from "../support/old_videos.ts";
import { overlapping } from "../support/overlap.ts";
import { withSql } from "../support/sql.ts";
import { until } from "../support/until.ts";
import {
  balanceOf,
  brokenInvariants,
  entriesOf,
  failAttempt,
  newestJob,
  newFamily,
  queueVideo,
  stateOf,
  value,
} from "../support/fixtures.ts";

Deno.test("F05 deleted, cancelled and failed at once, many times over: the gems come back exactly once", async () => {
  await withSql(async (db) => {
    for (let round = 0; round < 8; round++) {
      const family = await newFamily(db, { gems: 10 });
      const { video_id } = await queueVideo(db, family);
      const { id: job } = await newestJob(db, video_id);
      const ends = [
        () => asUser(db, family.userId, "select public.delete_videos($1)", [[video_id]]),
        () => db.query("select public.cancel_video($1, $2)", [family.userId, video_id]),
        () => failAttempt(db, job, { final: true }),
        () => asUser(db, family.userId, "select public.forget_child($1)", [family.childId]),
      ];
      const states = await Promise.all([...ends, ...ends, ...ends].map((end) => stateOf(end())));
      const odd = states.filter((state) => !["no error", "GM005", "GM006"].includes(state));
      assertEquals(odd, []);
      assertEquals(await balanceOf(db, family), 10);
      const kinds = (await entriesOf(db, video_id)).map((entry) => entry["kind"]);
      assertEquals(kinds, ["charge", "refund"]);
      assertEquals(await db.query("select 1 from public.videos where id = $1", [video_id]), []);
    }
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("a child that is forgotten while it is ordered for twice: who meets an order halfway begins anew", async () => {
  await withSql(async (db, plain) => {
    const family = await newFamily(db, { gems: 100 });
    const order = (sql: Sql, hash: string) => queueVideo(sql, family, { hash });
    let second: Promise<unknown> | undefined;
    const { second: forgotten } = await overlapping(
      db,
      (sql) => order(sql, "first"),
      () =>
        stateOf(plain.pool.query(`begin;
          select set_config('request.jwt.claims', '{"sub": "${family.userId}"}', true);
          set local role authenticated;
          select public.forget_child('${family.childId}');
          commit`)),
      async () => {
        second = db.transaction(async (sql) => {
          // Patient, so that it is not the one that Postgres ends.
          await sql.query("set local deadlock_timeout = '1min'");
          await sql.query("select from public.users where id = $1 for no key update", [
            family.userId,
          ]);
          // The child is about to go, and its first video's refund wants the user.
          await until("it waits for us", async () => await isWaitedFor(sql) || undefined);
          await order(sql, "second");
        });
        await until("both wait", async () => (await waiting(db)) === 2 || undefined);
      },
    );
    await second;
    assertEquals(forgotten, "no error");
    assertEquals(await db.query("select 1 from public.videos"), []);
    assertEquals(await db.query("select 1 from public.children"), []);
    assertEquals(await balanceOf(db, family), 100);
    assertEquals(await brokenInvariants(db), []);
  });
});

const isWaitedFor = (sql: Sql) =>
  value(
    sql,
    `select exists (
       select from pg_stat_activity a where pg_backend_pid() = any (pg_blocking_pids(a.pid))
     ) as value`,
  );

const waiting = (db: Sql) =>
  value(
    db,
    `select count(*)::int as value from pg_stat_activity
     where datname = current_database() and wait_event_type = 'Lock'`,
  );

Deno.test("two who forget one large account at once take turns: the second goes on where the first ended", async () => {
  await withSql(async (db) => {
    const { userId } = await newFamily(db);
    await addOldVideos(db, userId, 1_500);
    const forget = (sql: Sql) => value(sql, "select app.forget_rows($1) as value", [userId]);
    assertEquals(await overlapping(db, forget, () => forget(db)), {
      first: false,
      second: true,
      waited: true,
    });
    assertEquals(await db.query("select 1 from public.users"), []);
  });
});

Deno.test("an account that is deleted while its owner taps: nothing of it is left, and nothing is half done", async () => {
  await withSql(async (db) => {
    for (let round = 0; round < 8; round++) {
      const family = await newFamily(db, { gems: 100 });
      const tap = () => stateOf(queueVideo(db, family, { hash: crypto.randomUUID() }));
      const forget = () => stateOf(db.query("select public.forget_user($1)", [family.userId]));
      const states = await Promise.all([tap(), tap(), forget(), tap(), forget(), tap()]);
      const odd = states.filter((state) => !["no error", "GM005"].includes(state));
      assertEquals(odd, []);
      assertEquals(await tap(), "GM005");
      for (const table of ["users", "children", "videos", "video_progress", "gem_entries"]) {
        const column = table === "users" ? "id" : "user_id";
        const left = await db.query(`select 1 from public.${table} where ${column} = $1`, [
          family.userId,
        ]);
        assertEquals(left, [], table);
      }
    }
    const orphans = await db.query(
      "select 1 from public.video_jobs j left join public.videos v on v.id = j.video_id where v.id is null",
    );
    assertEquals(orphans, []);
    const charged = await db.query("select 1 from public.gem_entries where kind = 'charge'");
    assert(charged.length > 0, "some tap was in time");
    assertEquals(await brokenInvariants(db), []);
  });
});
