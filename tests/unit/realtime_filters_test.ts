import { assertEquals, assertThrows } from "@std/assert";
import { postgresChangesFilter } from "@supabase/supabase-js";
import { InterestError, parseInterest } from "../../local/realtime/filters.ts";

const filtersOf = (filter: string) =>
  parseInterest({ event: "*", schema: "public", table: "videos", filter }).filters
    .map(({ column, operator, value, negate }) => [
      column,
      ...(negate ? ["not"] : []),
      operator,
      value,
    ]);

Deno.test("filters are read as the client's builder writes them", () => {
  const built = postgresChangesFilter()
    .eq("user_id", "7").gt("progress", 50).in("status", ["queued", "it's, (odd)"])
    .is("error_code", null).not("title", "ilike", '%"a\\b"%').isDistinct("stage", "x")
    .build();
  assertEquals(filtersOf(built), [
    ["user_id", "eq", "7"],
    ["progress", "gt", "50"],
    ["status", "in", '{queued,"it\'s, (odd)"}'],
    ["error_code", "is", "null"],
    ["title", "not", "ilike", '%"a\\b"%'],
    ["stage", "isdistinct", "x"],
  ]);
});

Deno.test("filters are read as apps write them by hand", () => {
  assertEquals(filtersOf("user_id=eq.7"), [["user_id", "eq", "7"]]);
  assertEquals(filtersOf(" title=eq.a=b.c "), [["title", "eq", "a=b.c"]]);
  assertEquals(filtersOf("a=eq.1,b=lte.2"), [["a", "eq", "1"], ["b", "lte", "2"]]);
  assertEquals(filtersOf(""), []);
});

Deno.test("what is left out stands for all of it", () => {
  const interest = { event: "*", filters: [], select: null } as const;
  assertEquals(parseInterest({ table: "videos" }), {
    ...interest,
    schema: "public",
    table: "videos",
  });
  assertEquals(parseInterest({ event: "update", schema: "public" }), {
    ...interest,
    event: "UPDATE",
    schema: "public",
    table: "*",
  });
});

Deno.test("an interest that makes no sense is refused with what is wrong about it", () => {
  for (
    const params of [
      {},
      { event: "*" },
      null,
      { table: "videos", filter: "user_id" },
      { table: "videos", filter: "user_id=equals.7" },
      { table: "videos", filter: "status=in.queued" },
      { table: "videos", filter: "status=is.completed" },
      { table: "videos", filter: "a=eq.1,,b=eq.2" },
    ]
  ) assertThrows(() => parseInterest(params), InterestError, undefined, JSON.stringify(params));
});
