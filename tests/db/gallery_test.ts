import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import type { Database } from "../../shared/db/database.ts";
import { asUser } from "../support/as_user.ts";
import { withSql } from "../support/sql.ts";
import { newFamily, queueVideo, stateOf, value } from "../support/fixtures.ts";

const page = z.array(z.object({
  video_id: z.uuid(),
  title: z.string(),
  is_favorite: z.boolean(),
  cursor: z.string(),
}));

/** Lists as the app does; `args` are named as the function's parameters. */
async function list(db: Database, userId: string, args: Record<string, unknown> = {}) {
  const names = Object.keys(args);
  const text = `select * from public.list_videos(${
    names.map((name, i) => `${name} => $${i + 1}`).join(", ")
  })`;
  return page.parse(await asUser(db, userId, text, Object.values(args)));
}

/** Gives a user many finished videos at once, all of one moment in twos. Titles end in their number. */
async function fill(db: Database, userId: string, count: number): Promise<void> {
  await db.query(
    `insert into public.videos (user_id, title, prompt, kind, provider, model, gem_cost, max_retries,
       estimated_completion_at, input_hash, status, stage, progress, storage_path, completed_at,
       is_favorite, created_at)
     select $1, 'Clip ' || n, 'a dragon numbered n' || n || case when n % 1000 = 0 then ' with a Zeppelin' else '' end,
       'prompt', 'runware', 'pixverse:1@5', 0, 0, now(), 'x', 'completed', 'completed', 100, 'p', now(),
       n % 500 = 0, now() - (n / 2) * interval '1 second'
     from generate_series(1, $2::int) n`,
    [userId, count],
  );
}

Deno.test("pages follow each other newest first, without a gap or a repetition, videos of one moment included", async () => {
  await withSql(async (db) => {
    const { userId } = await newFamily(db);
    await fill(db, userId, 25);
    const seen: string[] = [];
    let cursor: string | undefined;
    for (;;) {
      const rows = await list(db, userId, { p_limit: 4, ...(cursor ? { p_cursor: cursor } : {}) });
      if (rows.length === 0) break;
      seen.push(...rows.map((row) => row.video_id));
      cursor = rows.at(-1)?.cursor;
    }
    const all = await db.query(
      "select id from public.videos where user_id = $1 order by created_at desc, id desc",
      [userId],
    );
    assertEquals(seen, all.map((row) => row["id"]));
  });
});

Deno.test("F20 a user lists, searches, marks and deletes their own videos only", async () => {
  await withSql(async (db) => {
    const mine = await newFamily(db, { gems: 50 });
    const other = await newFamily(db, { gems: 50 });
    const { video_id } = await queueVideo(db, mine);
    assertEquals((await list(db, mine.userId)).map((row) => row.video_id), [video_id]);
    assertEquals(await list(db, other.userId), []);
    assertEquals(await list(db, other.userId, { p_search: "twinkle" }), []);
    assertEquals((await list(db, mine.userId, { p_search: "twinkle" })).length, 1);

    const marking = asUser(db, other.userId, "select public.set_favorite($1, true)", [video_id]);
    assertEquals(await stateOf(marking), "GM005");
    await asUser(db, mine.userId, "select public.set_favorite($1, true)", [video_id]);
    assertEquals((await list(db, mine.userId, { p_favorite: true })).length, 1);
    assertEquals(await list(db, mine.userId, { p_favorite: false }), []);

    const deleted = async (userId: string) => {
      const [row] = await asUser(db, userId, "select public.delete_videos($1) as answer", [[
        video_id,
      ]]);
      return row?.["answer"];
    };
    assertEquals(await deleted(other.userId), { deleted: [], gem_balance: 50 });
    assertEquals(await deleted(mine.userId), { deleted: [video_id], gem_balance: 50 });
    assertEquals(await deleted(mine.userId), { deleted: [], gem_balance: 50 });
  });
});

Deno.test("filters: status, kind, provider and child; a wrong cursor or limit is refused by name", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 50 });
    await queueVideo(db, family);
    await fill(db, family.userId, 3);
    const count = async (args: Record<string, unknown>) =>
      (await list(db, family.userId, args)).length;
    assertEquals(await count({ p_status: ["queued", "processing"] }), 1);
    assertEquals(await count({ p_status: ["completed"] }), 3);
    assertEquals(await count({ p_kind: "rhyme" }), 1);
    assertEquals(await count({ p_provider: "runware" }), 4);
    assertEquals(await count({ p_provider: "runway" }), 0);
    assertEquals(await count({ p_child_id: family.childId }), 1);
    assertEquals(
      await count({ p_search: "CLIP drag" }),
      3,
      "any case, words in any order, beginnings",
    );
    assertEquals(await count({ p_search: "clip giraffe" }), 0, "each of the words");
    assertEquals(await count({ p_search: "  " }), 4);
    for (const p_search of ["'", "\\", "a' | b", "!(", "':*"]) {
      assertEquals(await stateOf(list(db, family.userId, { p_search })), "no error", p_search);
    }
    for (const p_cursor of ["", "?", "MjAyNg==", btoa("x|y")]) {
      assertEquals(await stateOf(list(db, family.userId, { p_cursor })), "GM008", p_cursor);
    }
    for (const p_limit of [0, 101]) {
      assertEquals(await stateOf(list(db, family.userId, { p_limit })), "GM008");
    }
  });
});

/** What a call reads of public.videos, as Postgres counts it. */
async function reads(db: Database, userId: string, args: Record<string, unknown>) {
  return await db.transaction(async (sql) => {
    const names = Object.keys(args);
    const count = async () => {
      const [row] = await sql.query(
        `select coalesce(seq_tup_read, 0)::int + coalesce(idx_tup_fetch, 0)::int as rows, seq_scan::int
         from pg_stat_xact_user_tables where relid = 'public.videos'::regclass`,
      );
      return z.object({ rows: z.number(), seq_scan: z.number() }).parse(row);
    };
    const before = await count();
    await sql.query("select set_config('role', 'authenticated', true)");
    await sql.query("select set_config('request.jwt.claims', $1, true)", [
      JSON.stringify({ sub: userId, role: "authenticated" }),
    ]);
    const found = await sql.query(
      `select * from public.list_videos(${
        names.map((name, i) => `${name} => $${i + 1}`).join(", ")
      })`,
      Object.values(args),
    );
    const after = await count();
    return {
      found: found.length,
      rows: after.rows - before.rows,
      scans: after.seq_scan - before.seq_scan,
    };
  });
}

Deno.test("each word of a title is found, whatever stands between them", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 100 });
    const titles = ["Cat/Dog friends", "Hello.World", "Top-5 songs", "http://a.example/fox moon"];
    for (const title of titles) {
      await db.query("select public.queue_video($1, $2, 'hash', 60)", [family.userId, {
        ...{ kind: "prompt", prompt: "x", title, provider: "runware", model: "pixverse:1@5-fast" },
        options: { duration: 5, resolution: "720p" },
      }]);
    }
    for (const [at, words] of ["dog", "world hello", "5 top", "fox"].entries()) {
      const found = await list(db, family.userId, { p_search: words });
      assertEquals(found.map(({ title }) => title), [titles[at]], words);
    }
  });
});

Deno.test("a mark that is there already changes nothing", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    const mark = () =>
      asUser(db, family.userId, "select public.set_favorite($1, true)", [video_id]);
    const rev = () => value(db, "select rev::int as value from public.videos");
    await mark();
    const marked = await rev();
    await mark();
    assertEquals(await rev(), marked);
  });
});

Deno.test("one user with 100,000 videos: pages, favourites and searches read some dozens of rows through indexes, no more", async () => {
  await withSql(async (db) => {
    const { userId } = await newFamily(db);
    await db.query("alter table public.videos disable trigger user");
    await fill(db, userId, 100_000);
    await db.query("alter table public.videos enable trigger user");
    await db.query("vacuum analyze public.videos");
    const first = await list(db, userId, { p_limit: 100 });
    const p_cursor = first.at(-1)?.cursor;
    const cases: readonly [Record<string, unknown>, number][] = [
      [{}, 20],
      [{ p_cursor }, 20],
      [{ p_favorite: true }, 20],
      [{ p_search: "zeppelin", p_limit: 100 }, 100],
      [{ p_search: "n77777 drag" }, 1],
      [{ p_search: "giraffe" }, 0],
    ];
    for (const [args, expected] of cases) {
      const { found, rows, scans } = await reads(db, userId, args);
      const what = JSON.stringify(args);
      assertEquals([found, scans], [expected, 0], what);
      // A search finds its rows and then reads them again under row-level security.
      assert(rows <= 3 * expected + 20, `${what} read ${rows} rows`);
    }
    // The plan itself, of the search's own statement.
    const plan = await db.query(
      `explain select v.id from public.videos v
       where v.user_id = $1 and not v.under_way and app.search_words(v.user_id, v.title || ' ' || coalesce(v.prompt, '')) @@ app.search_query($1, 'zeppelin')`,
      [userId],
    );
    assert(JSON.stringify(plan).includes("videos_search"), JSON.stringify(plan));
  });
});
