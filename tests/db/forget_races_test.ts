import { assert, assertEquals } from "@std/assert";
import type { Database, Sql } from "../../shared/db/database.ts";
import { asUser } from "../support/as_user.ts";
import { addOldVideos } from "../support/old_videos.ts";
import { overlapping } from "../support/overlap.ts";
import { withSql } from "../support/sql.ts";
import { CONSENT_TEXT } from "../support/avatars.ts";
import { hold } from "../support/held.ts";
import { until } from "../support/until.ts";
import {
  balanceOf,
  brokenInvariants,
  entriesOf,
  failAttempt,
  type Family,
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

/** What this says as a signed-in user, in a transaction that is kept open. */
async function saidBy(sql: Sql, { userId }: Family, text: string): Promise<void> {
  await sql.query("select set_config('request.jwt.claims', $1, true)", [
    JSON.stringify({ sub: userId, role: "authenticated" }),
  ]);
  await sql.query(text);
}

Deno.test("a child that is forgotten while it is ordered for, or agreed about, is not there any more", async () => {
  await withSql(async (db) => {
    for (
      const [what, tap] of [
        ["ordered", (family: Family) => queueVideo(db, family)],
        [
          "agreed",
          ({ userId, childId }: Family) =>
            asUser(db, userId, "select public.give_consent($1, $2)", [childId, CONSENT_TEXT]),
        ],
      ] as const
    ) {
      const family = await newFamily(db, { gems: 10 });
      const { second, waited } = await overlapping(
        db,
        (sql) => saidBy(sql, family, `select public.forget_child('${family.childId}')`),
        () => stateOf(tap(family)),
      );
      assertEquals([second, waited], ["GM005", true], what);
      assertEquals(await balanceOf(db, family), 10);
    }
    assertEquals(await brokenInvariants(db), []);
  });
});

/** Takes one lock, and the other one when somebody waits for it: patient, so it is not the victim. */
function crossing(
  db: Database,
  first: (sql: Sql) => Promise<unknown>,
  second: (sql: Sql) => Promise<unknown>,
): Promise<unknown> {
  return db.transaction(async (sql) => {
    await sql.query("set local deadlock_timeout = '1min'");
    await first(sql);
    await until("it waits for us", async () => await isWaitedFor(sql) || undefined);
    await second(sql);
  });
}

Deno.test("an account that is deleted while its owner agrees to a text, who locks the child first: it begins anew", async () => {
  await withSql(async (db, plain) => {
    const { userId, childId } = await newFamily(db);
    let forgotten: Promise<string> | undefined;
    await crossing(
      db,
      async (sql) => {
        await sql.query("select from public.children where id = $1 for no key update", [childId]);
        forgotten = stateOf(plain.pool.query("select public.forget_user($1)", [userId]));
      },
      (sql) =>
        sql.query(
          `insert into public.consents (user_id, child_id, text_id, text_sha256)
           values ($1, $2, $3, repeat('0', 64))`,
          [userId, childId, CONSENT_TEXT],
        ),
    );
    assertEquals(await forgotten, "no error");
    for (const table of ["users", "children", "consents"]) {
      assertEquals(await db.query(`select 1 from public.${table}`), [], table);
    }
  });
});

Deno.test("a project that is deleted while a clip comes in and ends: it begins anew", async () => {
  await withSql(async (db, plain) => {
    const family = await newFamily(db, { gems: 20 });
    const project = await value(
      db,
      "insert into public.projects (user_id) values ($1) returning id as value",
      [family.userId],
    );
    const addClip = async () => {
      const { video_id } = await queueVideo(db, family);
      await db.query("update public.videos set project_id = $1 where id = $2", [project, video_id]);
      return video_id;
    };
    const lock = (sql: Sql, table: string, id: unknown) =>
      sql.query(`select from public.${table} where id = $1 for no key update`, [id]);
    const first = await addClip();
    await using holding = await hold(db, (sql) => lock(sql, "videos", first));
    const deleted = stateOf(plain.pool.query(`begin;
      select set_config('request.jwt.claims', '{"sub": "${family.userId}"}', true);
      select public.delete_project('${project}');
      commit`));
    await until("it waits for the first", async () => (await waiting(db)) === 1 || undefined);
    const second = await addClip();
    await crossing(
      db,
      async (sql) => {
        await lock(sql, "videos", second);
        await holding.letGo();
      },
      (sql) => lock(sql, "projects", project),
    );
    assertEquals(await deleted, "no error");
    assertEquals(await db.query("select project_id from public.videos"), [
      { project_id: null },
      { project_id: null },
    ]);
    assertEquals(await db.query("select 1 from public.projects"), []);
  });
});
