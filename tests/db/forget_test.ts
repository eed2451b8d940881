import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Database } from "../../shared/db/database.ts";
import { forget } from "../../shared/stages/forget.ts";
import { asUser } from "../support/as_user.ts";
import { addAvatar, consent } from "../support/avatars.ts";
import { finished, obedient, pause, visit } from "../support/forgetting.ts";
import { addOldVideos } from "../support/old_videos.ts";
import { quiet, withSql } from "../support/sql.ts";
import {
  accept,
  balanceOf,
  brokenInvariants,
  type Family,
  newFamily,
  passTime,
  queueVideo,
  recordEvent,
  stateOf,
  value,
} from "../support/fixtures.ts";

const remains = (db: Database, userId: string) =>
  db.query("select * from app.remains_of($1)", [userId]);

/** A user with a bit of everything, and one who has nothing to do with it. */
async function populated(db: Database): Promise<{ family: Family; bystander: Family }> {
  const [family, bystander] = [
    await newFamily(db, { gems: 30 }),
    await newFamily(db, { gems: 10 }),
  ];
  await addAvatar(db, family);
  await consent(db, family);
  await finished(db, family);
  await finished(db, bystander);
  await asUser(
    db,
    family.userId,
    "select public.register_device('fcm', $1, 'android')",
    [`token-of-${family.userId}`],
  );
  const { video_id } = await queueVideo(db, family, { hash: "waiting", key: "tap" });
  const job = await accept(db, video_id);
  await recordEvent(db, job, { payload: { taskUUID: job, path: `${family.userId}/x` } });
  return { family, bystander };
}

const forgetUser = (db: Database, userId: string) =>
  value(db, "select public.forget_user($1) ->> 'erasure_id' as value", [userId]);

Deno.test("after account deletion no table holds the user's id and no object of theirs is left; the ledger keeps the amounts", async () => {
  await withSql(async (db) => {
    const { family, bystander } = await populated(db);
    const sum = "select sum(amount)::int as value from public.gem_entries";
    const before = await value(db, sum);
    assert((await remains(db, family.userId)).length > 5, "there is something to forget");

    const id = await forgetUser(db, family.userId);
    assertEquals(await forgetUser(db, family.userId), id, "asked twice, it is one erasure");
    const until =
      "select min(written_until) > now() + interval '2 hours' as value from app.objects_to_delete";
    assertEquals(
      await value(db, `${until} where prefix like $1`, [`${family.userId}/`]),
      true,
      "a link for an upload lives two hours",
    );
    assertEquals((await visit(db)).erasures_finished, 0);
    // A worker that had begun before writes what it had begun.
    await db.query("insert into storage.objects (bucket_id, name) values ('videos', $1)", [
      `${family.userId}/videos/${crypto.randomUUID()}.mp4`,
    ]);
    await pause(db);
    assertEquals((await visit(db)).erasures_finished, 1);

    assertEquals(await remains(db, family.userId), []);
    const status = await db.query(
      "select id, finished_at is not null as complete, sign_in_left, deletions_left::int from app.erasure_status",
    );
    assertEquals(status, [{ id, complete: true, sign_in_left: false, deletions_left: 0 }]);
    assertEquals(await value(db, sum), before);
    assertEquals(
      await db.query(
        "select distinct reason, idempotency_key from public.gem_entries where user_id is null",
      ),
      [{ reason: "Account deleted", idempotency_key: null }],
    );
    assertEquals(await balanceOf(db, bystander), 0);
    assertEquals((await db.query("select 1 from storage.objects")).length, 2);
    assertEquals(await brokenInvariants(db), []);
    assertEquals(await forgetUser(db, family.userId), null);
  });
});

Deno.test("a very large account: what is under way ends with the request, the rest in portions, and nothing can be bought meanwhile", async () => {
  await withSql(async (db) => {
    const { family } = await populated(db);
    await addOldVideos(db, family.userId, 2_500);
    const left = () =>
      value(db, "select count(*)::int as value from public.videos where user_id = $1", [
        family.userId,
      ]);
    const status = () =>
      db.query("select finished_at is not null as complete, rows_left from app.erasure_status");
    const id = await forgetUser(db, family.userId);
    assertEquals(await left(), 1_502);
    assertEquals(
      await db.query("select 1 from public.videos where user_id = $1 and under_way", [
        family.userId,
      ]),
      [],
    );
    assertEquals(await status(), [{ complete: false, rows_left: true }]);
    assertEquals(await stateOf(queueVideo(db, family, { hash: "another" })), "GM005");
    assertEquals(await forgetUser(db, family.userId), id);
    assertEquals(await left(), 502);

    await visit(db);
    assertEquals([await left(), ...await status()], [0, { complete: false, rows_left: false }]);
    await pause(db);
    for (let i = 0; i < 3; i++) await visit(db);
    assertEquals(await status(), [{ complete: true, rows_left: false }]);
    assertEquals(await remains(db, family.userId), []);
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("who is being forgotten buys no clips either", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const project = await value(
      db,
      `insert into public.projects (user_id, frames) values ($1, '{"1": {}}') returning id as value`,
      [family.userId],
    );
    const scene = {
      ...{ scene: "1", hash: "hash", expected_seconds: 60 },
      request: {
        ...{ kind: "clip", prompt: "A fox", provider: "runware", model: "pixverse:1@5-fast" },
        options: { duration: 5, resolution: "720p", aspect_ratio: "9:16" },
      },
    };
    const buy = () =>
      stateOf(
        db.query("select public.queue_clips($1, $2, $3)", [
          family.userId,
          project,
          JSON.stringify([scene]),
        ]),
      );
    await addOldVideos(db, family.userId, 1_001);
    await forgetUser(db, family.userId);
    assertEquals(await buy(), "GM005");
    assertEquals(await balanceOf(db, family), 10);
    // It was for nothing else.
    await db.query("delete from app.erasures");
    assertEquals(await buy(), "no error");
  });
});

Deno.test("an Auth that says yes and keeps the account: it is not forgotten yet", async () => {
  await withSql(async (db) => {
    const { family } = await populated(db);
    await forgetUser(db, family.userId);
    await pause(db);
    const { storage } = obedient(db);
    const polite = { deleteUser: () => Promise.resolve() };
    for (let i = 0; i < 3; i++) {
      const report = await forget({ database: db, log: quiet }, { storage, auth: polite });
      assertEquals(report.erasures_finished, 0);
    }
    const status = () =>
      db.query("select finished_at is not null as complete, sign_in_left from app.erasure_status");
    assertEquals(await status(), [{ complete: false, sign_in_left: true }]);
    assertEquals((await visit(db)).erasures_finished, 1);
    assertEquals(await status(), [{ complete: true, sign_in_left: false }]);
    assertEquals(await remains(db, family.userId), []);
  });
});

Deno.test("killed at any call to Storage or Auth, before it or after it, a later visit finishes the erasure", async () => {
  await withSql(async (db) => {
    for (let fuse = 1;; fuse++) {
      const { family } = await populated(db);
      await forgetUser(db, family.userId);
      let left = fuse;
      const { storage, auth } = obedient(db);
      const dying = async (act: () => Promise<void>) => {
        if (--left === 0) throw new Killed();
        await act();
        if (--left === 0) throw new Killed();
      };
      // A worker that is killed says nothing more: not to the database either.
      const database: Database = {
        ...db,
        query: (...args) => left <= 0 ? Promise.reject(new Killed()) : db.query(...args),
        transaction: (work) => left <= 0 ? Promise.reject(new Killed()) : db.transaction(work),
      };
      const killed = await forget({ database, log: quiet }, {
        storage: { ...storage, remove: (...args) => dying(() => storage.remove(...args)) },
        auth: { deleteUser: (id) => dying(() => auth.deleteUser(id)) },
      }).then(() => false, () => true);
      for (let i = 0; i < 3; i++) {
        await pause(db);
        await visit(db);
      }
      assertEquals(await remains(db, family.userId), [], `killed at ${fuse}`);
      if (!killed) {
        assert(fuse > 6, `${fuse - 1} places to be killed at`);
        break;
      }
    }
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("a Storage that does not answer takes its share of the visit, ten calls at a time, and the accounts have theirs", async () => {
  await withSql(async (db) => {
    const { family } = await populated(db);
    await forgetUser(db, family.userId);
    const place = () => `${family.userId}/${crypto.randomUUID()}.`;
    for (let i = 0; i < 40; i++) {
      const prefix = place();
      await db.query("select app.delete_objects($1, 'videos', $2)", [family.userId, prefix]);
      await db.query("insert into storage.objects (bucket_id, name) values ('videos', $1)", [
        `${prefix}mp4`,
      ]);
    }
    const { storage, auth } = obedient(db);
    let [clock, under, most, calls, closed] = [0, 0, 0, 0, 0];
    const slow = {
      ...storage,
      async remove() {
        most = Math.max(most, ++under);
        calls += 1;
        clock += 750;
        await Promise.resolve();
        under -= 1;
        throw new Error("Storage did not answer");
      },
    };
    const closing = {
      deleteUser(id: string) {
        closed += 1;
        return auth.deleteUser(id);
      },
    };
    await forget({ database: db, log: quiet }, { storage: slow, auth: closing }, () => clock);
    assertEquals([calls, most, closed], [20, 10, 1]);
  });
});

Deno.test("old videos that cannot be deleted keep neither files nor accounts from being forgotten", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    await finished(db, family);
    await db.query("select public.forget_user($1)", [(await newFamily(db)).userId]);
    await pause(db);
    await db.query("update app.settings set video_retention_days = 1");
    await passTime(db, "3 days");
    await db.query("alter table public.deleted_videos add constraint nothing check (false)");
    await assertRejects(() => visit(db), Error, "nothing");
    assertEquals(await db.query("select 1 from app.erasures where finished_at is null"), []);
  });
});

Deno.test("fifty accounts that Auth will not close keep no other waiting", async () => {
  await withSql(async (db) => {
    const refused = new Set<string>();
    for (let i = 0; i < 50; i++) {
      const { userId } = await newFamily(db);
      await forgetUser(db, userId);
      refused.add(userId);
    }
    const { userId } = await newFamily(db);
    await forgetUser(db, userId);
    const { storage, auth } = obedient(db);
    const strict = {
      deleteUser: (id: string) =>
        refused.has(id) ? Promise.reject(new Error("Auth answered 403")) : auth.deleteUser(id),
    };
    await pause(db);
    const reports = [];
    for (let i = 0; i < 2; i++) {
      reports.push(await forget({ database: db, log: quiet }, { storage, auth: strict }));
    }
    assertEquals(reports.map((report) => report.erasures_finished), [0, 1]);
    assertEquals(await remains(db, userId), []);
  });
});

class Killed extends Error {
  override name = "Killed";
}

Deno.test("an account that the operator deletes in the dashboard is forgotten just as well", async () => {
  await withSql(async (db) => {
    const { family } = await populated(db);
    await db.query("delete from auth.users where id = $1", [family.userId]);
    await visit(db);
    await pause(db);
    await visit(db);
    await visit(db);
    assertEquals(await remains(db, family.userId), []);
  });
});

Deno.test("what Auth's audit log says of an account goes with it; what may not be read is named, and not passed over", async () => {
  await withSql(async (db) => {
    const families = [await newFamily(db), await newFamily(db)];
    for (const { userId } of families) {
      await db.query(
        "insert into auth.audit_log_entries (id, payload) values (gen_random_uuid(), $1)",
        [
          { action: "user_deleted", traits: { user_id: userId, user_email: "mia@example.com" } },
        ],
      );
    }
    const [gone, stays] = families.map(({ userId }) => userId);
    await forgetUser(db, gone ?? "");
    await pause(db);
    assertEquals((await visit(db)).erasures_finished, 1);
    assertEquals(await remains(db, gone ?? ""), []);
    const log = "select payload -> 'traits' ->> 'user_id' as user_id from auth.audit_log_entries";
    assertEquals(await db.query(log), [{ user_id: stays }]);

    const blind = await db.transaction(async (sql) => {
      await sql.query("grant usage on schema app to authenticated");
      await sql.query("grant execute on function app.remains_of(uuid) to authenticated");
      await sql.query("set local role authenticated");
      const found = await sql.query("select place from app.remains_of($1) where matches is null", [
        gone,
      ]);
      return found.map((row) => String(row["place"]));
    });
    for (const place of ["auth.audit_log_entries", "pgboss.queue", "public.videos"]) {
      assert(blind.includes(place), `${place} is passed over`);
    }
  });
});

Deno.test("what providers said, raw, is forgotten after a week, wherever it is kept", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    const job = await accept(db, video_id);
    const raw = JSON.stringify({ message: "verbatim" });
    await recordEvent(db, job, { payload: JSON.parse(raw) });
    await db.query("select app.fail_attempt($1, 'c', 'provider', 'p', 'm', $2, null)", [job, raw]);
    await db.query(
      "insert into public.unknown_outcomes (video_job_id, video_id, provider, model, provider_error) values ($1, $2, 'runware', 'm', $3)",
      [job, video_id, raw],
    );
    const kept = async () => {
      const [row] = await db.query(
        `select (select count(*) from public.provider_events)::int
           + (select count(*) from public.video_jobs where provider_error is not null)::int
           + (select count(*) from public.unknown_outcomes where provider_error is not null)::int as value`,
      );
      return row?.["value"];
    };
    await db.query("select app.clean_up()");
    assertEquals(await kept(), 3);
    await db.query("update public.provider_events set received_at = now() - interval '8 days'");
    await db.query("update public.video_jobs set finished_at = now() - interval '8 days'");
    await db.query("update public.unknown_outcomes set happened_at = now() - interval '8 days'");
    await db.query("update app.last_check set cleaned_until = cleaned_until - interval '8 days'");
    await db.query("select app.clean_up()");
    assertEquals(await kept(), 0);
  });
});

Deno.test("whatever table says whose a row is, the row goes with its user, or forgets them", async () => {
  await withSql(async (db) => {
    const kept = await db.query(
      `select c.table_name, c.column_name
       from information_schema.columns c
       join information_schema.tables t using (table_schema, table_name)
       where c.table_schema = 'public' and t.table_type = 'BASE TABLE' and c.column_name = 'user_id'
         and not exists (
           select 1 from pg_constraint k
           join pg_attribute a on a.attrelid = k.conrelid and a.attnum = any (k.conkey)
           where k.contype = 'f' and k.conrelid = format('public.%I', c.table_name)::regclass
             and (
               (k.confrelid = 'public.users'::regclass and k.confdeltype in ('c', 'n') and a.attname = c.column_name)
               -- A row of a video goes with the video, and that with its user.
               or (k.confrelid = 'public.videos'::regclass and k.confdeltype = 'c')
             )
         )`,
    );
    assertEquals(kept, []);
  });
});
