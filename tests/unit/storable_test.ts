import { assertEquals, assertThrows } from "@std/assert";
import { storable, storableText } from "../../shared/storable.ts";

Deno.test("NULs and halves of characters are taken out of texts and keys, at every depth", () => {
  assertEquals(
    storable({ "a\0b": ["x\0y", { "\ud800": "\udc00!", n: 1.5, t: true, z: null }] }),
    { ab: ["xy", { "\ufffd": "\ufffd!", n: 1.5, t: true, z: null }] },
  );
  assertEquals(storableText("\u{1f600}\0"), "\u{1f600}");
});

Deno.test("what is nested as deep as a hundred levels is kept, deeper is a RangeError", () => {
  const nested = (levels: number): unknown => JSON.parse("[".repeat(levels) + "]".repeat(levels));
  assertEquals(storable(nested(100)), nested(100));
  assertThrows(() => storable(nested(102)), RangeError, "deeper than 100 levels");
  assertThrows(() => storable(nested(100_000)), RangeError);
});

Deno.test("a key that is called __proto__ stays a key", () => {
  const value = storable(JSON.parse('{"__proto__": {"a": 1}}'));
  assertEquals(JSON.stringify(value), '{"__proto__":{"a":1}}');
});
