import { assertEquals } from "@std/assert";
import { Pace } from "../../shared/providers/kie/pace.ts";
import { kieTask, TASK, withKie } from "../support/kie_support.ts";
import { standing } from "../support/runware_support.ts";

/** Starts `count` at once and tells when each was let through, in ms of a clock that only waiting moves. */
async function startsOf(count: number, { most, perMs }: { most: number; perMs: number }) {
  const starts: number[] = [];
  const waits: number[] = [];
  const clock = {
    now: () => 0,
    wait: (ms: number) => {
      waits.push(ms);
      return Promise.resolve();
    },
  };
  const pace = new Pace({ most, perMs }, clock);
  for (let i = 0; i < count; i++) {
    const before = waits.length;
    await pace.turn();
    starts.push(waits.length > before ? waits.at(-1) ?? 0 : 0);
  }
  return starts;
}

Deno.test("as many as may go at once, the others as the window moves on", async () => {
  assertEquals(await startsOf(7, { most: 3, perMs: 10 }), [0, 0, 0, 10, 10, 10, 20]);
  assertEquals(await startsOf(3, { most: 1, perMs: 10 }), [0, 10, 20]);
});

Deno.test("whoever comes when the window is over does not wait", async () => {
  let now = 0;
  const waits: number[] = [];
  const wait = (ms: number) => {
    waits.push(ms);
    return Promise.resolve();
  };
  const pace = new Pace({ most: 2, perMs: 10 }, { now: () => now, wait });
  for (const at of [0, 4, 10, 13, 14]) {
    now = at;
    await pace.turn();
  }
  // At 13 the one from 4 was nine ago, at 14 the one from 10 four.
  assertEquals(waits, [1, 6]);
});

Deno.test("a task whose turn comes too late is not handed over", async () => {
  const body = { code: 200, msg: "success", data: { taskId: TASK } };
  await withKie({ body }, async (provider, received) => {
    const asked: (number | undefined)[] = [];
    let isLate = false;
    setTimeout(() => isLate = true, 0);
    const hasTime = (ms?: number) => {
      asked.push(ms);
      return !isLate;
    };
    const outcomes = await provider.submit([kieTask(), kieTask()], { hasTime });
    assertEquals(outcomes.map(standing), ["accepted", "refused server lease_over"]);
    assertEquals(received.length, 1);
    assertEquals(asked, [5_000, 5_000], "the wait is over, so the call alone is to fit");
  }, { pace: { most: 1, perMs: 50 }, timeoutMs: 5_000 });
});

Deno.test("creates keep to the pace over calls, and a refused model takes no turn", async () => {
  const body = { code: 200, msg: "success", data: { taskId: TASK } };
  const pace = { most: 2, perMs: 60_000 };
  await withKie({ body }, async (provider, received) => {
    await provider.submit([kieTask({ model: "nobody's" }), kieTask(), kieTask()]);
    assertEquals(received.length, 2);
  }, { pace });
});
