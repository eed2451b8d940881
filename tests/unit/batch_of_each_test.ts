import { assertEquals, assertRejects } from "@std/assert";
import { type Batch, batchOfEach } from "../../shared/stages/batch_of_each.ts";
import type { VideoProvider } from "../../shared/providers/provider.ts";
import { quiet } from "../support/sql.ts";

const NAMES = ["kie", "runware", "runway"];
const providers = new Map(NAMES.map((name) => [name, unasked(name)]));
const FULL: Batch = { taken: 10, fullness: 1 };
const PART: Batch = { taken: 4, fullness: 0.4 };

/** What is done with a provider is the test's; it is asked nothing itself. */
function unasked(name: string): VideoProvider {
  return {
    ...{ name, choosesTaskId: true, callsBack: true, submitBatch: 10, pollBatch: 10 },
    mediaHosts: [],
    submit: () => Promise.resolve([]),
    poll: () => Promise.resolve([]),
    parseEvent: () => [],
    balanceUsd: () => Promise.resolve(0),
  };
}

/** A batch of each, written down as they begin; `work` is told how often the provider had one. */
async function worked(work: (name: string, nth: number) => Promise<Batch>) {
  const begun: string[] = [];
  const all = await batchOfEach(
    () => Promise.resolve(NAMES),
    { providers, log: quiet },
    ({ name }) => {
      begun.push(name);
      return work(name, begun.filter((one) => one === name).length);
    },
  );
  return { begun, all };
}

Deno.test("each provider has one batch, and the fullest tells whether there may be more", async () => {
  const { begun, all } = await worked((name) => Promise.resolve(name === "runway" ? FULL : PART));
  assertEquals(begun, NAMES);
  assertEquals(all, { taken: 18, fullness: 1 });
});

Deno.test("while one is slow the others go on, for as long as their batches are full", async () => {
  const slow = Promise.withResolvers<void>();
  const { begun, all } = await worked(async (name, nth) => {
    if (name === "runway") return PART;
    if (name === "runware") {
      if (nth === 3) slow.resolve();
      return FULL;
    }
    await slow.promise;
    return PART;
  });
  assertEquals(begun.slice(0, 5), [...NAMES, "runware", "runware"]);
  assertEquals(begun.filter((name) => name !== "runware"), ["kie", "runway"]);
  assertEquals(all, { taken: 8 + 10 * (begun.length - 2), fullness: 1 });
});

Deno.test("while one is slow, what comes in for another meanwhile is not kept waiting", async () => {
  const slow = Promise.withResolvers<void>();
  const begun: string[] = [];
  let looks = 0;
  const all = await batchOfEach(
    // The other one has nothing to do at first.
    () => Promise.resolve(++looks < 3 ? ["kie"] : ["kie", "runware"]),
    { providers, log: quiet, pause: () => Promise.resolve() },
    async ({ name }) => {
      begun.push(name);
      if (name === "kie") await slow.promise;
      else slow.resolve();
      return PART;
    },
  );
  assertEquals(begun, ["kie", "runware"]);
  assertEquals(all.taken, 8);
});

Deno.test("a look that fails while one is slow is logged, and the slow one is waited for", async () => {
  const slow = Promise.withResolvers<void>();
  let looks = 0;
  const all = await batchOfEach(
    () => {
      if (++looks === 1) return Promise.resolve(["kie"]);
      slow.resolve();
      return Promise.reject(new Error("The database is away"));
    },
    { providers, log: quiet, pause: () => Promise.resolve() },
    async () => {
      await slow.promise;
      return PART;
    },
  );
  assertEquals([looks > 1, all], [true, PART]);
});

Deno.test("one that fails keeps nobody from their batch", async () => {
  const { begun, all } = await worked((name) =>
    name === "kie" ? Promise.reject(new Error("A row could not be read")) : Promise.resolve(PART)
  );
  assertEquals(begun, NAMES);
  assertEquals(all, { taken: 8, fullness: 0.4 });
});

Deno.test("where nothing else was done, the failure is the batch's", async () => {
  const failing = worked((name) =>
    name === "kie"
      ? Promise.reject(new Error("A row could not be read"))
      : Promise.resolve({ taken: 0, fullness: 0 })
  );
  await assertRejects(() => failing, Error, "A row could not be read");
});
