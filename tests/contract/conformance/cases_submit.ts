/** Handing tasks over: taken, refused, turned away, and answers that were lost. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { checkRequest } from "../../../shared/domain/model_limits.ts";
import { accepted, wordOf } from "./steps.ts";
import type { Bench, CallTrouble, Case, InputTrouble } from "./suite.ts";

/** A refusal that speaks of us and not of the task: nothing was bought, the same task may come again. */
const turnedAway: readonly Case[] = (["auth", "balance", "rate"] as const).map((kind) => ({
  name: `turned away at the door: ${kind}`,
  needs: `call: ${kind}`,
  async run(bench) {
    bench.levers.trouble(kind, "submit");
    const task = bench.task();
    const [outcome] = await bench.provider.submit([task]);
    assertEquals([outcome?.id, wordOf(outcome)], [task.id, `refused ${kind}`]);
    assertEquals(bench.levers.bought(), 0);
    await accepted(bench, task);
    assertEquals(bench.levers.bought(), 1);
  },
}));

const refusedInput: readonly Case[] = (["validation", "safety"] as const).map((
  kind: InputTrouble,
) => ({
  name: `refused for what is in it: ${kind}`,
  needs: `input: ${kind}`,
  async run(bench) {
    const [bad, good] = [bench.levers.badTask(kind), bench.task()];
    const outcomes = await bench.provider.submit([bad, good]);
    assertEquals(outcomes.map((one) => [one.id, wordOf(one)]), [
      [bad.id, `refused ${kind}`],
      [good.id, "accepted"],
    ]);
    assertEquals(bench.levers.bought(), 1, "a refused task is not bought");
  },
}));

/** Whatever is lost, the adapter says "unknown" and never sends a create twice by itself. */
function lostAnswer(
  name: string,
  kind: CallTrouble,
  by: (bench: Bench) => Bench["provider"],
): Case {
  return {
    name,
    needs: `call: ${kind}`,
    async run(bench) {
      // Over a kept connection: Deno sends again by itself when one is closed before an answer, unless
      // it is kept from that. Where the ids are ours it may, and we would not be told.
      const before = bench.provider.choosesTaskId ? [] : [bench.task()];
      await by(bench).submit(before);
      bench.levers.trouble(kind, "submit");
      const task = bench.task();
      const calls = bench.levers.calls();
      const [outcome] = await by(bench).submit([task]);
      assertEquals([outcome?.id, wordOf(outcome)], [task.id, "unknown server"]);
      assertEquals(bench.levers.calls() - calls, 1, "nothing is sent twice");
      assertEquals(bench.levers.bought(), before.length + (kind === "server" ? 0 : 1));
      if (!bench.provider.choosesTaskId) return;
      assertEquals(await accepted(bench, task), task.id);
      assertEquals(bench.levers.bought(), 1, "the same id buys once, however often it is sent");
    },
  };
}

/** Cases of submit. */
export const submitCases: readonly Case[] = [
  {
    name: "accepted",
    async run(bench) {
      const task = bench.task();
      const id = await accepted(bench, task);
      assertEquals(id === task.id, bench.provider.choosesTaskId);
      assertEquals(bench.levers.bought(), 1);
    },
  },
  {
    name: "a whole batch: one outcome each, in order, under different ids",
    async run(bench) {
      const tasks = Array.from({ length: bench.provider.submitBatch }, () => bench.task());
      const outcomes = await bench.provider.submit(tasks);
      assertEquals(outcomes.map(({ id }) => id), tasks.map(({ id }) => id));
      assertEquals(new Set(outcomes.map(wordOf)), new Set(["accepted"]));
      const ids = outcomes.map((one) => one.outcome === "accepted" && one.providerTaskId);
      assertEquals(new Set(ids).size, tasks.length);
      assertEquals(bench.levers.bought(), tasks.length);
    },
  },
  {
    name: "nothing to hand over or to ask about makes no call",
    async run(bench) {
      const before = bench.levers.calls();
      assertEquals(await bench.provider.submit([]), []);
      assertEquals(await bench.provider.poll([]), []);
      assertEquals(bench.levers.calls(), before);
    },
  },
  {
    name: "what its model table allows, it takes",
    run: takesWhatItsTableAllows,
  },
  ...refusedInput,
  ...turnedAway,
  {
    name: "a rate limit carries the seconds we were asked to wait",
    needs: "retry-after",
    async run(bench) {
      bench.levers.rateLimit(42);
      const [outcome] = await bench.provider.submit([bench.task()]);
      assertEquals(wordOf(outcome), "refused rate");
      assertEquals(outcome && "error" in outcome && outcome.error.retryAfterSeconds, 42);
    },
  },
  lostAnswer("lost answer: the API is in trouble", "server", ({ provider }) => provider),
  lostAnswer("lost answer: cut off after buying", "lost_ack", ({ provider }) => provider),
  lostAnswer("lost answer: none ever comes", "hung_ack", ({ hasty }) => hasty),
  lostAnswer("lost answer: an error after buying", "late_server", ({ provider }) => provider),
  lostAnswer("lost answer: a page of HTML", "unreadable", ({ provider }) => provider),
  {
    name: "a wrong key is told as such, and no outcome holds a key",
    async run(bench) {
      const outcomes = await bench.intruder.submit([bench.task()]);
      assertEquals(outcomes.map(wordOf), ["refused auth"]);
      await assertRejects(() => bench.intruder.balanceUsd());
      bench.levers.trouble("auth", "submit");
      const told = JSON.stringify([outcomes, await bench.provider.submit([bench.task()])]);
      assertEquals(told.includes(bench.apiKey), false);
    },
  },
  {
    name: "what is left on the account",
    async run(bench) {
      const balance = await bench.provider.balanceUsd();
      assert(Number.isFinite(balance) && balance >= 0, `"${balance}" is no balance`);
    },
  },
];

/** One task for each model and quality: its first size, its shortest length, from words or a picture. */
async function takesWhatItsTableAllows(bench: Bench): Promise<void> {
  const { prompt } = bench.task();
  const asked = bench.models.filter(({ retired }) => retired !== true).flatMap((spec) =>
    spec.tiers.flatMap((tier) => {
      const durations = tier.durations ?? spec.durations;
      const [seconds = 5] = "list" in durations ? durations.list : [durations.min];
      const [size] = tier.sizes;
      return spec.modes.map((mode) => ({
        ...bench.task(),
        id: crypto.randomUUID(),
        model: spec.id,
        prompt,
        durationSeconds: seconds,
        ...size,
        ...(mode === "image" ? { firstFrame: "https://project.example/avatars/mia.png" } : {}),
      })).filter((task) => checkRequest(spec, task).length === 0);
    })
  );
  assert(asked.length >= bench.models.filter(({ retired }) => retired !== true).length);
  const refused: string[] = [];
  for (let from = 0; from < asked.length; from += bench.provider.submitBatch) {
    const batch = asked.slice(from, from + bench.provider.submitBatch);
    const outcomes = await bench.provider.submit(batch);
    outcomes.forEach((one, at) => {
      if (one.outcome !== "accepted") refused.push(`${batch[at]?.model}: ${wordOf(one)}`);
    });
  }
  assertEquals(refused, []);
}
