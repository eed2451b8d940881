/** What tells the owner's app of a change: messages, the published rows, and videos_since. */
import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import type { Database } from "../../shared/db/database.ts";
import { settleVideoJobs } from "../../shared/db/poll_calls.ts";
import { finishStoring, startStoring } from "../../shared/db/store_calls.ts";
import { asUser } from "../support/as_user.ts";
import {
  accept,
  deliver,
  type Family,
  newFamily,
  queueVideo,
  stateOf,
  value,
} from "../support/fixtures.ts";
import { visit } from "../support/forgetting.ts";
import { withSql } from "../support/sql.ts";

const sinceAnswer = z.object({
  reset: z.boolean(),
  rev: z.string(),
  videos: z.array(z.object({ id: z.uuid(), rev: z.number(), status: z.string() })),
  deleted: z.array(z.uuid()),
});

async function since(db: Database, { userId }: Family, rev: string | null = null) {
  const [row] = await asUser(db, userId, "select public.videos_since($1) as answer", [rev]);
  return sinceAnswer.parse(row?.["answer"]);
}

const messages = (db: Database) =>
  db.query(
    `select event, topic, private, payload ->> 'status' as status from realtime.messages
     order by inserted_at, (payload ->> 'rev')::int`,
  );

const cancelVideo = (db: Database, { userId }: Family, videoId: string | undefined) =>
  db.query("select public.cancel_video($1, $2)", [userId, videoId]);

const statuses = (answer: z.infer<typeof sinceAnswer>) => answer.videos.map((v) => v.status);

Deno.test("F38 one call tells what was queued, what ended and what was deleted while the app was away, and nothing else", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 100 });
    const [same, ended, gone] = [
      await queueVideo(db, family),
      await queueVideo(db, family),
      await queueVideo(db, family),
    ].map((video) => video.video_id);
    const { rev } = await since(db, family);

    await cancelVideo(db, family, ended);
    await asUser(db, family.userId, "select public.delete_videos(array[$1::uuid])", [gone]);
    const { video_id: late } = await queueVideo(db, family);

    const answer = await since(db, family, rev);
    assertEquals(answer.reset, false);
    assertEquals(answer.videos.map(({ id, status }) => ({ id, status })), [
      { id: late, status: "queued" },
      { id: ended, status: "cancelled" },
    ]);
    assertEquals(answer.deleted, [gone]);
    assert(!answer.videos.some((video) => video.id === same));
    const calm = await since(db, family, answer.rev);
    assertEquals({ ...calm, rev: "" }, { reset: false, rev: "", videos: [], deleted: [] });
  });
});

Deno.test("F38 a change whose transaction commits after a later one was told is told the next time", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 100 });
    const { video_id: slow } = await queueVideo(db, family);
    const { video_id: quick } = await queueVideo(db, family);
    const { rev } = await since(db, family);

    const between = await db.transaction(async (sql) => {
      await sql.query("update public.videos set status = 'cancelled' where id = $1", [slow]);
      await db.query("update public.videos set status = 'cancelled' where id = $1", [quick]);
      return await since(db, family, rev);
    });
    assertEquals(between.videos.map((video) => video.id), [quick]);
    const after = await since(db, family, between.rev);
    assert(after.videos.some((video) => video.id === slow && video.status === "cancelled"));
    assertEquals((await since(db, family, after.rev)).videos, []);
  });
});

Deno.test("F38 a rev that cannot be gone on from (none, odd, of another database, of the future, too long ago) resets", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 100 });
    const { video_id } = await queueVideo(db, family);
    const { rev } = await since(db, family);
    const [life = "", transaction = "", day = ""] = rev.split(":");
    for (
      const odd of [
        null,
        "",
        "7",
        `${life}:`,
        `${life}:${transaction}`,
        `${life}:-1:${day}`,
        `${life}:${"9".repeat(30)}:${day}`,
        `00000000:${transaction}:${day}`,
        `${life}:${Number(transaction) + 1_000_000}:${day}`,
        `${life}:${transaction}:${Number(day) - 91}`,
      ]
    ) {
      const answer = await since(db, family, odd);
      assertEquals([answer.reset, answer.videos[0]?.id], [true, video_id], String(odd));
    }

    await db.query(
      "insert into public.deleted_videos (video_id, user_id) select gen_random_uuid(), $1 from generate_series(1, 1000)",
      [family.userId],
    );
    const first = `${life}:0:${day}`;
    assertEquals((await since(db, family, first)).reset, true);
    await db.query(
      "delete from public.deleted_videos where video_id = (select min(video_id::text)::uuid from public.deleted_videos)",
    );
    const full = await since(db, family, first);
    assertEquals([full.reset, full.deleted.length, full.videos.length], [false, 999, 1]);
  });
});

Deno.test("F04 videos_since and deleted_videos show a user nothing of another's, and visitors nothing at all", async () => {
  await withSql(async (db) => {
    const [ann, bob] = [await newFamily(db, { gems: 20 }), await newFamily(db, { gems: 20 })];
    const { rev } = await since(db, ann);
    const { video_id: gone } = await queueVideo(db, bob);
    await queueVideo(db, bob, { hash: "another" });
    await asUser(db, bob.userId, "select public.delete_videos(array[$1::uuid])", [gone]);
    const { videos, deleted } = await since(db, ann, rev);
    assertEquals([videos, deleted], [[], []]);
    assertEquals((await since(db, ann)).videos, []);
    const seen = "select video_id from public.deleted_videos";
    assertEquals(await asUser(db, ann.userId, seen), []);
    assertEquals(await asUser(db, bob.userId, seen), [{ video_id: gone }]);
    for (
      const denied of [
        "insert into public.deleted_videos (video_id, user_id) values (gen_random_uuid(), auth.uid())",
        "update public.deleted_videos set deleted_in = '0'",
        "delete from public.deleted_videos",
        "update public.videos set changed_in = '0'",
      ]
    ) assertEquals(await stateOf(asUser(db, bob.userId, denied)), "42501", denied);
    const visitor = db.transaction(async (sql) => {
      await sql.query("select set_config('role', 'anon', true)");
      await sql.query("select public.videos_since()");
    });
    assertEquals(await stateOf(visitor), "42501");
  });
});

Deno.test("F37 an owner is told once for each change they can see, and not of the others", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 100 });
    const topic = `user:${family.userId}`;
    const { video_id } = await queueVideo(db, family);
    await db.query("update public.videos set fallbacks = '[{}]' where id = $1", [video_id]);
    await asUser(db, family.userId, "select public.set_favorite($1, false)", [video_id]);
    assertEquals((await messages(db)).length, 1);

    await asUser(db, family.userId, "select public.set_favorite($1, true)", [video_id]);
    assertEquals(await value(db, "select rev as value from public.videos"), "3");
    await asUser(db, family.userId, "select public.delete_videos(array[$1::uuid])", [video_id]);
    assertEquals(
      await messages(db),
      [
        ["video_updated", "queued"],
        ["video_updated", "queued"],
        ["video_updated", "cancelled"],
        ["video_deleted", null],
      ].map(([event, status]) => ({ event, topic, private: true, status })),
    );
  });
});

Deno.test("F37 a video's whole life is eight messages, one for each change that shows", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const job = await accept(db, (await queueVideo(db, family)).video_id);
    for (const progress of [15, 16, 21, 21]) {
      await settleVideoJobs(db, [
        { video_job_id: job, state: "processing", progress, eta_seconds: 9 },
      ]);
    }
    await deliver(db, job);
    for (const _twice of [1, 2]) await startStoring(db, [job]);
    await finishStoring(db, job, "p.mp4");
    const told = await db.query(
      `select payload ->> 'stage' || ' ' || (payload ->> 'progress') as change from realtime.messages
       order by (payload ->> 'rev')::int`,
    );
    assertEquals(told.map(({ change }) => change), [
      ...["initializing 0", "initializing 5", "analyzing 10", "generating 15", "generating 21"],
      ...["rendering 90", "finalizing 95", "completed 100"],
    ]);
  });
});

Deno.test("which videos were deleted is forgotten after a hundred days, and no sooner", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 20 });
    const [first, second] = [
      await queueVideo(db, family),
      await queueVideo(db, family, { hash: "second" }),
    ].map((video) => video.video_id);
    const noted = async () => {
      const rows = await db.query("select video_id from public.deleted_videos");
      return rows.map((row) => row["video_id"]).toSorted();
    };
    const deleteVideo = (id = "") =>
      asUser(db, family.userId, "select public.delete_videos(array[$1::uuid])", [id]);
    await deleteVideo(first);
    await db.query("select app.clean_up()");
    await deleteVideo(second);
    assertEquals(await noted(), [first, second].toSorted());
    await db.query("update app.change_marks set noted_at = noted_at - interval '99 days'");
    await db.query("select app.clean_up()");
    assertEquals(await noted(), [first, second].toSorted());
    await db.query("update app.change_marks set noted_at = noted_at - interval '2 days'");
    await db.query("select app.clean_up()");
    assertEquals(await noted(), [second]);
  });
});

Deno.test("a statement that changes many videos tells each owner of theirs", async () => {
  await withSql(async (db) => {
    const families = await Promise.all([1, 2, 3].map(() => newFamily(db, { gems: 20 })));
    for (const family of families) await queueVideo(db, family);
    await db.query("update public.videos set status = 'cancelled'");
    const told = (await messages(db)).filter((message) => message["status"] === "cancelled");
    assertEquals(
      new Set(told.map((message) => message["topic"])),
      new Set(families.map(({ userId }) => `user:${userId}`)),
    );
    assertEquals(told.length, 3);
  });
});

Deno.test("a Realtime that fails, or is not there, fails no charge, and videos_since tells all the same", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 30 });
    const { rev } = await since(db, family);
    const breakages = [
      "drop table realtime.messages cascade",
      `create or replace function realtime.send(payload jsonb, event text, topic text, private boolean default true)
         returns void language plpgsql as $$ begin raise exception 'out of order'; end $$`,
      "drop schema realtime cascade",
    ];
    for (const breakage of breakages) {
      await db.query(breakage);
      await queueVideo(db, family);
    }
    assertEquals(statuses(await since(db, family, rev)), ["queued", "queued", "queued"]);
  });
});

Deno.test("F04 the policy on realtime.messages lets a user hear their own topic's broadcasts only, and send nothing", async () => {
  await withSql(async (db) => {
    const [ann, bob] = [await newFamily(db), await newFamily(db)];
    const hears = async (userId: string, topic: string, extension = "broadcast") => {
      await db.query("delete from realtime.messages");
      await db.query("insert into realtime.messages (topic, extension) values ($1, $2)", [
        topic,
        extension,
      ]);
      const rows = await db.transaction(async (sql) => {
        await sql.query(
          `select set_config('realtime.topic', $1, true), set_config('role', 'authenticated', true),
             set_config('request.jwt.claims', $2, true)`,
          [topic, JSON.stringify({ sub: userId, role: "authenticated" })],
        );
        return await sql.query("select from realtime.messages");
      });
      return rows.length;
    };
    assertEquals(await hears(ann.userId, `user:${ann.userId}`), 1);
    assertEquals(await hears(bob.userId, `user:${ann.userId}`), 0);
    assertEquals(await hears(ann.userId, `user:${ann.userId}`, "presence"), 0);
    assertEquals(await hears(ann.userId, "user:"), 0);
    const sending = asUser(
      db,
      ann.userId,
      "insert into realtime.messages (topic, extension) values ($1, 'broadcast')",
      [`user:${ann.userId}`],
    );
    assertEquals(await stateOf(sending), "42501");
  });
});

Deno.test("the publication of Realtime holds videos and video_progress, and a deleted video is known by its owner", async () => {
  await withSql(async (db) => {
    assertEquals(
      await db.query(
        "select tablename from pg_publication_tables where pubname = 'supabase_realtime' order by 1",
      ),
      [{ tablename: "video_progress" }, { tablename: "videos" }],
    );
    assertEquals(
      await value(
        db,
        `select array_agg(a.attname::text order by a.attname) as value
         from pg_index i
         join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
         where i.indrelid = 'public.videos'::regclass and i.indisreplident`,
      ),
      ["created_at", "id", "user_id"],
      "what the log tells of a deleted row",
    );
  });
});

Deno.test("an account that goes leaves no note of its videos, and soon its name on no message, however old", async () => {
  await withSql(async (db) => {
    const [family, bystander] = [
      await newFamily(db, { gems: 20 }),
      await newFamily(db, { gems: 20 }),
    ];
    for (const days of [3, 0]) {
      await queueVideo(db, family, { hash: `${days}` });
      await db.query(
        "update realtime.messages set inserted_at = inserted_at - $1 * interval '1 day'",
        [days],
      );
    }
    await db.query("delete from auth.users where id = $1", [family.userId]);
    assertEquals(await db.query("select * from public.deleted_videos"), []);
    await queueVideo(db, bystander);
    await visit(db);
    const remains = await db.query(
      "select place from app.remains_of($1) where place not like 'app.%'",
      [family.userId],
    );
    assertEquals(remains, []);
    const topics = (await messages(db)).map((message) => message["topic"]);
    assert(topics.length > 2);
    assertEquals(new Set(topics), new Set(["forgotten", `user:${bystander.userId}`]));
  });
});
