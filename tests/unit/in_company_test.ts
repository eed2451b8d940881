import { assertEquals, assertRejects } from "@std/assert";
import { inCompany } from "../../shared/in_company.ts";

/** Calls that wait until they are let go. */
function gatedCalls() {
  const calls: { readonly items: readonly string[]; readonly go: (error?: Error) => void }[] = [];
  const call = (items: readonly string[]) =>
    new Promise<string[]>((resolve, reject) =>
      calls.push({
        items,
        go: (error) => error ? reject(error) : resolve(items.map((item) => `${item}!`)),
      })
    );
  return { calls, call };
}

const settled = () => new Promise<void>((resolve) => setTimeout(resolve));

Deno.test("one alone is called for at once, and what comes meanwhile shares the next call", async () => {
  const { calls, call } = gatedCalls();
  const ask = inCompany({ call, most: 3, callsAtOnce: 1, isOnes: () => false });
  const answers = ["a", "b", "c", "d", "e"].map(ask);
  assertEquals(calls.map(({ items }) => items), [["a"]]);
  calls[0]?.go();
  await settled();
  assertEquals(calls[1]?.items, ["b", "c", "d"], "no more than a call takes");
  calls[1]?.go();
  await settled();
  calls[2]?.go();
  assertEquals(await Promise.all(answers), ["a!", "b!", "c!", "d!", "e!"]);
  const late = ask("f");
  await settled();
  calls[3]?.go();
  assertEquals(await late, "f!");
});

Deno.test("a slow call holds up only who is in it, where another may be under way", async () => {
  const { calls, call } = gatedCalls();
  const ask = inCompany({ call, most: 9, callsAtOnce: 2, isOnes: () => false });
  const slow = ask("slow");
  const quick = ask("quick");
  calls[1]?.go();
  assertEquals(await quick, "quick!");
  const next = ask("next");
  await settled();
  calls[2]?.go();
  assertEquals(await next, "next!");
  calls[0]?.go();
  assertEquals(await slow, "slow!");
});

Deno.test("one that can not be taken fails alone; where nobody is there all of them fail at once", async () => {
  const bad = (items: readonly string[]) =>
    items.includes("bad") ? Promise.reject(new Error("bad")) : Promise.resolve([...items]);
  const ask = inCompany({
    call: bad,
    most: 9,
    callsAtOnce: 1,
    isOnes: (error) => error instanceof Error && error.message === "bad",
  });
  const answers = await Promise.allSettled(["first", "good", "bad", "well"].map(ask));
  assertEquals(answers.map(({ status }) => status), [
    "fulfilled",
    "fulfilled",
    "rejected",
    "fulfilled",
  ]);

  let calls = 0;
  const nobody = inCompany<string, string>({
    call: () => Promise.reject(new Error(`nobody is there: ${++calls}`)),
    most: 9,
    callsAtOnce: 1,
    isOnes: () => false,
  });
  const failed = ["a", "b", "c"].map(nobody);
  for (const one of failed) await assertRejects(() => one, Error, "nobody is there");
  assertEquals(calls, 2, "the first alone, the others together and not once more each");
});

Deno.test("a call that leaves somebody without an answer says so", async () => {
  const ask = inCompany<string, string>({
    call: () => Promise.resolve([]),
    most: 9,
    callsAtOnce: 1,
    isOnes: () => false,
  });
  await assertRejects(() => ask("a"), Error, "no answer for this");
});
