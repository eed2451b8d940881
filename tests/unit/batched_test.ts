import { assertEquals, assertRejects } from "@std/assert";
import { batched } from "../../shared/batched.ts";

interface Call {
  readonly items: readonly string[];
  readonly go: () => void;
}

/** Calls that wait until they are let go. */
function gatedCalls() {
  const begun: Call[] = [];
  let more = Promise.withResolvers<void>();
  const call = (items: readonly string[]) =>
    new Promise<string[]>((resolve) => {
      begun.push({ items, go: () => resolve(items.map((item) => `${item}!`)) });
      more.resolve();
    });
  /** The next call that is made. */
  const next = async (): Promise<Call> => {
    for (;;) {
      const call = begun.shift();
      if (call !== undefined) return call;
      more = Promise.withResolvers();
      await more.promise;
    }
  };
  return { call, next };
}

Deno.test("one alone is called for at once, and what comes meanwhile shares the next call", async () => {
  const { call, next } = gatedCalls();
  const ask = batched({ call, most: 3, callsAtOnce: 1, mayBeOneItemsFault: () => false });
  const first = ask("a");
  const alone = await next();
  const answers = ["b", "c", "d", "e"].map(ask);
  const taken = [alone.items];
  alone.go();
  for (let n = 0; n < 2; n++) {
    const { items, go } = await next();
    taken.push(items);
    go();
  }
  assertEquals(taken, [["a"], ["b", "c", "d"], ["e"]]);
  assertEquals(await Promise.all([first, ...answers]), ["a!", "b!", "c!", "d!", "e!"]);
  const late = ask("f");
  (await next()).go();
  assertEquals(await late, "f!");
});

Deno.test("those of one turn of the loop go together, in even parts where two calls may begin", async () => {
  const { call, next } = gatedCalls();
  const ask = batched({ call, most: 9, callsAtOnce: 2, mayBeOneItemsFault: () => false });
  const names = ["a", "b", "c", "d", "e"];
  const answers = names.slice(0, 3).map(ask);
  // As callers do who were answered in the same turn, each a few promises later.
  answers.push(Promise.resolve().then(() => null).then(() => ask("d")), ask("e"));
  const [one, two] = [await next(), await next()];
  assertEquals([one.items.length, two.items.length], [3, 2]);
  assertEquals([...one.items, ...two.items].toSorted(), names);
  one.go();
  two.go();
  assertEquals(await Promise.all(answers), ["a!", "b!", "c!", "d!", "e!"]);
});

Deno.test("who waits for a place all go into the first that is free", async () => {
  const { call, next } = gatedCalls();
  const ask = batched({ call, most: 9, callsAtOnce: 2, mayBeOneItemsFault: () => false });
  const two = ["a", "b"].map(ask);
  const [held, freed] = [await next(), await next()];
  const more = ["c", "d", "e"].map(ask);
  freed.go();
  const { items, go } = await next();
  assertEquals(items, ["c", "d", "e"]);
  go();
  held.go();
  assertEquals(await Promise.all([...two, ...more]), ["a!", "b!", "c!", "d!", "e!"]);
});

Deno.test("a call that has become slow gives its place to those who wait, and its own are answered still", async () => {
  const { call, next } = gatedCalls();
  const ask = batched({
    call,
    most: 9,
    callsAtOnce: 1,
    slowAfter: 1,
    mayBeOneItemsFault: () => false,
  });
  const slow = ask("slow");
  const held = await next();
  const [a, b] = [ask("a"), ask("b")];
  const { items, go } = await next();
  assertEquals(items, ["a", "b"]);
  go();
  assertEquals(await Promise.all([a, b]), ["a!", "b!"]);
  held.go();
  assertEquals(await slow, "slow!");
  const late = ask("late");
  (await next()).go();
  assertEquals(await late, "late!");
});

Deno.test("a slow call holds up only who is in it, where another may be under way", async () => {
  const { call, next } = gatedCalls();
  const ask = batched({ call, most: 9, callsAtOnce: 2, mayBeOneItemsFault: () => false });
  const slow = ask("slow");
  const held = await next();
  for (const name of ["quick", "next"]) {
    const answer = ask(name);
    (await next()).go();
    assertEquals(await answer, `${name}!`);
  }
  held.go();
  assertEquals(await slow, "slow!");
});

Deno.test("one that cannot be taken fails alone; where nobody is there all of them fail at once", async () => {
  const bad = (items: readonly string[]) =>
    items.includes("bad") ? Promise.reject(new Error("bad")) : Promise.resolve([...items]);
  const ask = batched({
    call: bad,
    most: 9,
    callsAtOnce: 1,
    mayBeOneItemsFault: (error) => error instanceof Error && error.message === "bad",
  });
  const answers = await Promise.allSettled(["first", "good", "bad", "well"].map(ask));
  assertEquals(answers.map(({ status }) => status), [
    "fulfilled",
    "fulfilled",
    "rejected",
    "fulfilled",
  ]);

  let calls = 0;
  const nobody = batched<string, string>({
    call: () => Promise.reject(new Error(`nobody is there: ${++calls}`)),
    most: 9,
    callsAtOnce: 1,
    mayBeOneItemsFault: () => false,
  });
  const failed = ["a", "b", "c"].map(nobody);
  for (const one of failed) await assertRejects(() => one, Error, "nobody is there");
  assertEquals(calls, 1, "all of them together, and not once more each");
});

Deno.test("a call that leaves somebody without an answer says so", async () => {
  const ask = batched<string, string>({
    call: () => Promise.resolve([]),
    most: 9,
    callsAtOnce: 1,
    mayBeOneItemsFault: () => false,
  });
  await assertRejects(() => ask("a"), Error, "no answer for this");
});

Deno.test("retried alone, items go one after the other: no more calls run at once than may", async () => {
  let running = 0;
  let mostAtOnce = 0;
  const ask = batched<string, string>({
    call: async (items) => {
      mostAtOnce = Math.max(mostAtOnce, ++running);
      await Promise.resolve();
      running -= 1;
      if (items.length > 1) throw new Error("bad");
      return items;
    },
    most: 9,
    callsAtOnce: 1,
    mayBeOneItemsFault: () => true,
  });
  assertEquals(await Promise.all(["a", "b", "c"].map(ask)), ["a", "b", "c"]);
  assertEquals(mostAtOnce, 1);
});
