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
