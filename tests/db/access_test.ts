import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { Database } from "../../shared/db/database.ts";
import { asUser } from "../support/as_user.ts";
import { finished } from "../support/forgetting.ts";
import { addOldVideos } from "../support/old_videos.ts";
import { videosRead } from "../support/rows_read.ts";
import { withSql } from "../support/sql.ts";
import { consent } from "../support/avatars.ts";
import { registerDevice } from "../support/devices.ts";
import {
  accept,
  failAttempt,
  type Family,
  newFamily,
  queueVideo,
  stateOf,
} from "../support/fixtures.ts";
import { USER_FUNCTIONS } from "../support/user_functions.ts";

Deno.test("RLS is on for every table in public", async () => {
  await withSql(async (db) => {
    const open = await db.query(
      `select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relrowsecurity`,
    );
    assertEquals(open, []);
  });
});

Deno.test("F03 users may execute the functions listed for them and no others of public, app or pgboss, visitors none", async () => {
  await withSql(async (db) => {
    const callable = await db.query(
      `select r.rolname, p.proname from pg_proc p
       join pg_namespace n on n.oid = p.pronamespace
       cross join (values ('anon'), ('authenticated')) as r (rolname)
       where n.nspname in ('public', 'app', 'pgboss')
         and has_schema_privilege(r.rolname, n.oid, 'usage')
         and has_function_privilege(r.rolname, p.oid, 'execute')
       order by 2`,
    );
    assertEquals(
      callable,
      USER_FUNCTIONS.map((proname) => ({ rolname: "authenticated", proname })),
    );
    const all = await db.query(
      `select 1 from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'public'`,
    );
    assert(all.length >= 6, "there are functions to ask about");
  });
});

Deno.test("a table or function that a later migration adds starts closed", async () => {
  await withSql(async (db) => {
    await db.query("create table public.later (id integer)");
    await db.query("create function public.later_function() returns integer language sql return 1");
    const open = await db.query(
      `select r.rolname from (values ('anon'), ('authenticated')) as r (rolname)
       where has_table_privilege(r.rolname, 'public.later', 'select, insert')
         or has_function_privilege(r.rolname, 'public.later_function()', 'execute')`,
    );
    assertEquals(open, []);
  });
});

Deno.test("the service role may execute the doors and write no money and no state", async () => {
  await withSql(async (db) => {
    const doors = await db.query(
      `select p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
       where n.nspname = 'public' and has_function_privilege('service_role', p.oid, 'execute')
       order by 1`,
    );
    assertEquals(doors.map((row) => row["proname"]), [
      "cancel_video",
      "forget_user",
      "grant_gems",
      "health_report",
      "margins",
      "price_list",
      "project_state",
      "queue_clips",
      "queue_video",
      "queue_videos",
      "quote_video",
      "record_provider_events",
      "video_changes",
      "video_status",
      "videos_under_way",
    ]);
    const writable = await db.query(
      `select t.name from (values ('users'), ('gem_entries'), ('videos'), ('video_jobs'),
         ('video_progress'), ('provider_events'), ('notifications')) as t (name)
       where has_table_privilege('service_role', 'public.' || t.name, 'insert, update, delete, truncate')`,
    );
    assertEquals(writable, []);
    assertEquals(
      await db.query("select has_schema_privilege('service_role', 'app', 'usage') as app"),
      [{ app: false }],
    );
  });
});

Deno.test("F04 a user sees their own rows only, and can write neither balance, tier nor video", async () => {
  await withSql(async (db) => {
    const mine = await newFamily(db, { gems: 20 });
    const other = await newFamily(db, { gems: 20 });
    await queueVideo(db, mine);
    await queueVideo(db, other);

    const asUser = (text: string) =>
      db.transaction(async (sql) => {
        await sql.query("select set_config('role', 'authenticated', true)");
        await sql.query("select set_config('request.jwt.claims', $1, true)", [
          JSON.stringify({ sub: mine.userId, role: "authenticated" }),
        ]);
        return await sql.query(text);
      });
    for (const table of ["users", "children", "gem_entries", "videos", "video_progress"]) {
      const rows = await asUser(`select * from public.${table}`);
      assert(rows.length > 0, table);
      assert(rows.every((row) => (row["user_id"] ?? row["id"]) === mine.userId), table);
    }
    const denied = [
      "update public.users set gem_balance = 1000000",
      "update public.users set tier = 'premium'",
      "insert into public.gem_entries (user_id, amount, kind, reason, balance_after) values (auth.uid(), 5, 'grant', 'x', 5)",
      "update public.videos set status = 'completed'",
      "update public.videos set gem_cost = 0",
      // A filter of theirs could hold the row that a worker waits for, and all of its batch.
      "update public.videos set is_favorite = true",
      "update public.projects set title = 'x', frames = '{}'",
      "delete from public.videos",
      "select * from public.video_jobs",
      "select * from public.provider_events",
      "select * from app.settings",
      "select * from pgboss.job",
      "select public.grant_gems(auth.uid(), 100, 'grant', 'x', 'k')",
      "select app.move_gems(auth.uid(), 100, 'grant', null, 'x')",
      "update public.rhymes set gem_cost = 0",
    ];
    for (const text of denied) assertEquals(await stateOf(asUser(text)), "42501", text);
    const strangers = `insert into public.children (user_id, name) values ('${other.userId}', 'X')`;
    assertEquals(await stateOf(asUser(strangers)), "42501");
  });
});

Deno.test("someone who is not signed in sees the catalogue and nothing else", async () => {
  await withSql(async (db) => {
    await newFamily(db, { gems: 20 });
    const asAnon = (text: string) =>
      db.transaction(async (sql) => {
        await sql.query("select set_config('role', 'anon', true)");
        return await sql.query(text);
      });
    assertEquals((await asAnon("select * from public.rhymes")).length, 6);
    for (
      const table of ["users", "children", "gem_entries", "videos", "video_jobs", "notifications"]
    ) {
      assertEquals(await stateOf(asAnon(`select * from public.${table}`)), "42501", table);
    }
  });
});

/** A row of this family, or more, in each table of public that people may read. */
async function leaveTraces(db: Database, family: Family): Promise<void> {
  const { userId } = family;
  await consent(db, family);
  await registerDevice(db, family, { address: `phone-of-${userId}` });
  await asUser(db, userId, "insert into public.projects (user_id, title) values ($1, 'Reel')", [
    userId,
  ]);
  const { video_id: deleted } = await queueVideo(db, family);
  await asUser(db, userId, "select public.delete_videos($1)", [[deleted]]);
  const { video_id } = await queueVideo(db, family);
  await failAttempt(db, await accept(db, video_id), { final: true });
}

Deno.test("F04 in each table of people's own a user sees what is theirs, a stranger sees and removes nothing", async () => {
  await withSql(async (db) => {
    const families = [await newFamily(db, { gems: 20 }), await newFamily(db, { gems: 20 })];
    for (const family of families) await leaveTraces(db, family);
    const stranger = crypto.randomUUID();
    const tables = await db.query(
      `select c.table_name as name, c.column_name as owner,
         has_column_privilege('authenticated', 'public.' || c.table_name, c.column_name, 'select') as readable
       from information_schema.columns c
       join information_schema.tables t using (table_schema, table_name)
       where c.table_schema = 'public' and t.table_type = 'BASE TABLE'
         and c.column_name = case c.table_name when 'users' then 'id' else 'user_id' end
       order by 1`,
    );
    assertEquals(tables.map(({ name }) => name), [
      "children",
      "consents",
      "deleted_videos",
      "devices",
      "gem_entries",
      "notifications",
      "projects",
      "users",
      "video_progress",
      "videos",
    ]);
    const before = await everything(db);
    for (const { name, owner, readable } of tables) {
      assertEquals(readable, true, `${name}`);
      const look = `select distinct ${owner} as owner from public.${name}`;
      for (const { userId } of families) {
        assertEquals(await asUser(db, userId, look), [{ owner: userId }], `${name}`);
      }
      assertEquals(await asUser(db, stranger, look), [], `${name}`);
      // Without a filter, which would ask what they may see as well.
      const remove = await stateOf(asUser(db, stranger, `delete from public.${name}`));
      assert(["42501", "no error"].includes(remove), `${name}: ${remove}`);
      assertEquals(await everything(db), before, `${name}`);
    }
  });
});

Deno.test("where a device is reached is for its owner and the sender, a browser's keys are for the sender alone", async () => {
  await withSql(async (db) => {
    const hidden = async (role: string) => {
      const rows = await db.query(
        `select a.attname as name from pg_attribute a
         where a.attrelid = 'public.devices'::regclass and a.attnum > 0 and not a.attisdropped
           and not has_column_privilege($1, a.attrelid, a.attnum, 'select')
         order by 1`,
        [role],
      );
      return rows.map(({ name }) => name);
    };
    assertEquals(await hidden("authenticated"), ["auth", "p256dh"]);
    assertEquals(await hidden("service_role"), ["address", "auth", "p256dh"]);
    const written = await db.query(
      `select r.name from unnest('{anon,authenticated,service_role}'::text[]) as r (name)
       where has_any_column_privilege(r.name, 'public.devices', 'insert, update')`,
    );
    assertEquals(written, []);
  });
});

Deno.test("both buckets are private, and take only what they are for, no larger than it gets", async () => {
  await withSql(async (db) => {
    const buckets = await db.query(
      `select id, public, file_size_limit::int as most, allowed_mime_types as types
       from storage.buckets order by id`,
    );
    const pictures = ["image/png", "image/jpeg", "image/webp"];
    assertEquals(buckets, [
      { id: "avatars", public: false, most: 5_000_000, types: pictures },
      {
        ...{ id: "videos", public: false, most: 500_000_000 },
        types: ["video/mp4", "image/jpeg", "image/png", "image/webp"],
      },
    ]);
  });
});

/** What a restore by pg_dump does to a database: everything in public is for everybody. */
const WIDE_OPEN = [
  "grant all on all tables in schema public to anon, authenticated",
  "grant all on all functions in schema public to anon, authenticated",
];

Deno.test("with every right of public lost, what is for the service role alone refuses visitors and users", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 20 });
    for (const statement of WIDE_OPEN) await db.query(statement);
    const doors = await db.query(
      `select format('%I.%I(%s)', n.nspname, p.proname, (
         select string_agg('null::' || t::regtype, ', ' order by place)
         from unnest(p.proargtypes::oid[]) with ordinality as a (t, place)
       )) as call
       from pg_proc p join pg_namespace n on n.oid = p.pronamespace
       where n.nspname = 'public' and p.proname <> all ($1::text[])`,
      [USER_FUNCTIONS],
    );
    assert(doors.length >= 15);
    for (const role of ["anon", "authenticated"]) {
      for (const { call } of doors) {
        const refused = await assertRejects(() =>
          db.transaction(async (sql) => {
            await sql.query("select set_config('role', $1, true)", [role]);
            await sql.query("select set_config('request.jwt.claims', $1, true)", [
              JSON.stringify({ sub: family.userId, role }),
            ]);
            await sql.query(`select * from ${call}`);
          })
        );
        assertMatch(String(refused), /Only the service role may do this/, `${role}: ${call}`);
        assertEquals("code" in refused && refused.code, "42501");
      }
    }
    await queueVideo(db, family);
  });
});

Deno.test("with every right of public lost, users' functions show and change nothing for a visitor", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 50 });
    const { userId, childId } = family;
    const { video_id: video } = await queueVideo(db, family);
    await asUser(db, userId, "select public.give_consent($1, 'child-in-videos-1')", [childId]);
    await asUser(db, userId, "select public.register_device('fcm', 'my-phone', 'ios')");
    const [made] = await asUser(
      db,
      userId,
      "insert into public.projects (user_id, title) values ($1, 'Reel') returning id",
      [userId],
    );
    const project = made?.["id"];
    for (const statement of WIDE_OPEN) await db.query(statement);

    const calls: Readonly<Record<string, readonly [string, ...unknown[]]>> = {
      delete_project: ["($1)", project],
      delete_videos: ["($1)", [video]],
      forget_child: ["($1)", childId],
      give_consent: ["($1, 'child-in-videos-1')", childId],
      is_own_avatar: ["($1)", `${userId}/${childId}.png`],
      list_videos: ["()"],
      register_device: ["('fcm', 'my-phone', 'android')"],
      search_videos: ["('Twinkle')"],
      set_favorite: ["($1, true)", video],
      update_project: ["($1, 'Mine')", project],
      video_state: ["((select v from public.videos v where v.id = $1))", video],
      videos_since: ["()"],
      withdraw_consent: ["($1)", childId],
    };
    assertEquals(Object.keys(calls), [...USER_FUNCTIONS]);
    const before = await everything(db);
    for (const [name, [args, ...values]] of Object.entries(calls)) {
      const answer = await db.transaction(async (sql) => {
        await sql.query("select set_config('role', 'anon', true)");
        return await sql.query(`select * from public.${name}${args}`, values);
      }).catch((error: unknown) =>
        String(error).replaceAll(/"[0-9a-f-]{36}"/g, "the id asked for")
      );
      const told = JSON.stringify(answer);
      for (const secret of [userId, childId, video, "Twinkle", "Reel"]) {
        assert(!told.includes(secret), `${name}: ${told}`);
      }
      assertEquals(await everything(db), before, name);
    }
  });
});

/** The rows of all tables of public, as one text each. */
async function everything(db: Database): Promise<Record<string, unknown>[]> {
  return await db.query(
    `select c.relname, query_to_xml(format('select t::text from public.%I t order by 1', c.relname), true, true, '')::text as rows
     from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' order by 1`,
  );
}

Deno.test("whether a file is the user's is asked of its own video, and not of all that they have", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const path = `${family.userId}/videos/${await finished(db, family)}`;
    await db.query("update public.videos set thumbnail_path = $1", [`${path}.jpg`]);
    await addOldVideos(db, family.userId, 500);
    await db.query("analyze public.videos");
    // Of no video: whoever looks through all that the user has looks to the end.
    await db.query("insert into storage.objects (bucket_id, name) values ('videos', $1)", [
      `${family.userId}/videos/${crypto.randomUUID()}.mp4`,
    ]);
    const claims = JSON.stringify({ sub: family.userId, role: "authenticated" });
    const read = await db.transaction(async (sql) => {
      await sql.query("select set_config('role', 'authenticated', true)");
      await sql.query("select set_config('request.jwt.claims', $1, true)", [claims]);
      return await videosRead(sql, async () => {
        const objects = await sql.query("select name from storage.objects order by name");
        assertEquals(objects, [{ name: `${path}.jpg` }, { name: `${path}.mp4` }]);
      });
    });
    assert(read < 50, `${read} of 500`);
  });
});
