import { assert, assertEquals, assertThrows } from "@std/assert";
import { fileURLToPath } from "node:url";
import { type Column, dartTypes, renderDart } from "../../local/verify/dart_types.ts";
import { withDatabase } from "../support/database.ts";

const FILE = fileURLToPath(new URL("../../docs/mobile/database.dart", import.meta.url));

Deno.test("the Dart types of the tables are those of the database", async () => {
  await withDatabase(async ({ url }) => {
    assertEquals(
      await Deno.readTextFile(FILE),
      await dartTypes(url),
      "deno task verify --write-types",
    );
  });
});

Deno.test("the Dart types follow the database: a new column, one that users may not read", async () => {
  await withDatabase(async ({ url, pool }) => {
    const before = await dartTypes(url);
    await pool.query("alter table public.children add born_at timestamptz");
    await pool.query(
      "alter table public.children add mood text not null default 'calm' check (mood in ('calm', 'wild_one'))",
    );
    await pool.query("revoke select on public.rhymes from authenticated");
    const after = await dartTypes(url);
    assert(before.includes("RhymesRow("));
    assert(!after.includes("RhymesRow("));
    assert(
      after.includes(
        "DateTime? get bornAt => json['born_at'] == null ? null : DateTime.parse(json['born_at'] as String);",
      ),
    );
    assert(after.includes("ChildrenMood get mood => ChildrenMood.of(json['mood'] as String);"));
    assert(after.includes("  calm('calm'),\n  wildOne('wild_one');"));
  });
});

Deno.test("a column of a type that Dart has no word for is refused, not guessed", () => {
  const column: Column = {
    table: "videos",
    column: "frame",
    type: "box",
    nullable: true,
    words: null,
  };
  assertThrows(() => renderDart([column]), Error, 'No Dart type is known for "videos.frame", box');
});

Deno.test("the words that a comment names are those that the row's check takes", async () => {
  await withDatabase(async ({ pool }) => {
    /** Whether any of the rows with this word is one. */
    const takes = async (table: string, check: string, rows: readonly object[]) =>
      (await pool.query(
        `select bool_or(${check}(jsonb_populate_record(null::public.${table}, r))) as taken
         from unnest($1::jsonb[]) as r`,
        [rows.map((row) => JSON.stringify(row))],
      )).rows[0].taken;
    const wordsOf = async (table: string, column: string): Promise<string[]> =>
      (await pool.query(
        `select string_to_array(substring(col_description($1::regclass, a.attnum) from '^One of ([a-z_, ]+)\\.'), ', ') as words
         from pg_attribute a where a.attrelid = $1::regclass and a.attname = $2`,
        [`public.${table}`, column],
      )).rows[0].words;

    const asked = { options: {}, fallbacks: [], folder: "videos", gem_cost: 1, retry_count: 0 };
    const video = { ...asked, max_retries: 2, kind: "rhyme", rev: 1 };
    const done = { storage_path: "a/b.mp4", completed_at: "2026-11-01T00:00:00Z" };
    const failed = { error_code: "x", error_message: "x" };
    const states = [
      { ...video, status: "queued", stage: "initializing", progress: 0 },
      { ...video, status: "processing", stage: "analyzing", progress: 10 },
      { ...video, status: "processing", stage: "generating", progress: 15 },
      { ...video, status: "rendering", stage: "rendering", progress: 90 },
      { ...video, status: "rendering", stage: "finalizing", progress: 95 },
      { ...video, ...done, status: "completed", stage: "completed", progress: 100 },
      { ...video, ...failed, status: "failed", stage: "generating", progress: 40 },
      { ...video, status: "cancelled", stage: "generating", progress: 40 },
    ];
    for (const column of ["status", "stage", "kind"] as const) {
      for (const word of await wordsOf("videos", column)) {
        const rows = column === "kind"
          ? states.map((state) => ({ ...state, kind: word }))
          : states.filter((state) => state[column] === word);
        assertEquals(await takes("videos", "app.is_video", rows), true, `${column} ${word}`);
      }
      const unknown = states.map((state) => ({ ...state, [column]: "paused" }));
      assertEquals(await takes("videos", "app.is_video", unknown), false, `${column} paused`);
    }

    const entry = { reason: "x", balance_after: 1 };
    for (const kind of await wordsOf("gem_entries", "kind")) {
      const rows = [1, -1].flatMap((amount) =>
        [crypto.randomUUID(), null].map((video_id) => ({ ...entry, kind, amount, video_id }))
      );
      assertEquals(await takes("gem_entries", "app.is_gem_entry", rows), true, kind);
    }
    const gift = [{ ...entry, kind: "gift", amount: 1 }];
    assertEquals(await takes("gem_entries", "app.is_gem_entry", gift), false, "gift");
  });
});
