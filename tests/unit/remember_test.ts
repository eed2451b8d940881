import { assertEquals, assertRejects } from "@std/assert";
import { remember } from "../../shared/remember.ts";

/** A memory of 100 ms, a clock for it, and what it read. */
function scene(answers: readonly (number | null | Error)[]) {
  const left = [...answers];
  const clock = { now: 0 };
  const reads: string[] = [];
  const remembered = remember<number | null>(100, () => clock.now);
  const ask = (key = "a") =>
    remembered(key, () => {
      reads.push(key);
      const next = left.shift() ?? null;
      return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
    });
  return { ask, clock, reads };
}

Deno.test("what was read is remembered until its time is up, each key by itself", async () => {
  const { ask, clock, reads } = scene([1, 2, 3]);
  assertEquals([await ask(), await ask(), await ask("b")], [1, 1, 2]);
  clock.now = 99;
  assertEquals(await ask(), 1);
  clock.now = 100;
  assertEquals(await ask(), 3);
  assertEquals(reads, ["a", "b", "a"]);
});

Deno.test("who asks while it is being read waits for the same answer", async () => {
  const { ask, reads } = scene([1]);
  assertEquals(await Promise.all([ask(), ask()]), [1, 1]);
  assertEquals(reads, ["a"]);
});

Deno.test("neither a failure nor null is remembered", async () => {
  const { ask } = scene([new Error("gone"), null, 3]);
  await assertRejects(() => ask(), Error, "gone");
  assertEquals([await ask(), await ask(), await ask()], [null, 3, 3]);
});
