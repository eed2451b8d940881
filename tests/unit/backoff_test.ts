import { assertEquals } from "@std/assert";
import { backoffTotal } from "../../shared/domain/backoff.ts";

const usual = { initialDelay: 5_000, maxDelay: 60_000, maxAttempts: 60, backoffMultiplier: 1.5 };

Deno.test("pauses grow up to the longest one, and all of them count", () => {
  const few = { ...usual, maxAttempts: 3 };
  assertEquals(backoffTotal(few), 5_000 + 7_500 + 11_250);
  assertEquals(backoffTotal({ ...few, maxDelay: 6_000 }), 5_000 + 6_000 + 6_000);
  assertEquals(backoffTotal({ ...few, backoffMultiplier: 1 }), 15_000);
  assertEquals(backoffTotal({ ...few, initialDelay: 90_000 }), 180_000);
  assertEquals(backoffTotal({ ...few, initialDelay: 0 }), 0);
});

Deno.test("the usual options mean nearly an hour", () => {
  assertEquals(Math.round(backoffTotal(usual) / 60_000), 56);
});
