import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { SandboxClock } from "../../local/sandbox/clock.ts";
import { randomUuid, seededRandom } from "../../local/sandbox/random.ts";

Deno.test("appointments are kept in the order of their time, then of their making", () => {
  fc.assert(fc.property(fc.array(fc.nat(50)), fc.array(fc.nat(20)), (times, steps) => {
    const clock = new SandboxClock(() => 0);
    const kept: [number, number][] = [];
    times.forEach((at, made) => clock.at(at, () => kept.push([at, made])));
    for (const step of steps) clock.advance(step);
    const passed = steps.reduce((sum, step) => sum + step, 0);
    const due = times.map((at, made): [number, number] => [at, made])
      .filter(([at]) => at <= passed)
      .sort(([a, i], [b, j]) => a - b || i - j);
    assertEquals(kept, steps.length > 0 ? due : []);
  }));
});

Deno.test("a cancelled appointment is not kept, one made meanwhile is", () => {
  const clock = new SandboxClock(() => 0);
  const kept: string[] = [];
  const cancelled = clock.at(5, () => kept.push("cancelled"));
  clock.at(1, () => {
    cancelled.cancel();
    clock.after(0, () => kept.push("made meanwhile"));
  });
  clock.advance(10);
  assertEquals(kept, ["made meanwhile"]);
});

Deno.test("without an injected clock appointments are kept by one timer", async () => {
  const clock = new SandboxClock();
  const kept: number[] = [];
  const start = clock.now();
  await new Promise<void>((resolve) => {
    clock.at(start + 3, resolve);
    clock.at(start + 2, () => kept.push(2));
    clock.at(start + 1, () => kept.push(1));
  });
  assertEquals(kept, [1, 2]);
  clock.after(60_000, () => {});
  clock.stop();
});

Deno.test("a seed gives the same numbers and UUIDs, another seed others", () => {
  const ids = (seed: string) => {
    const random = seededRandom(seed);
    return Array.from({ length: 100 }, () => randomUuid(random));
  };
  assertEquals(ids("a"), ids("a"));
  assertEquals(new Set([...ids("a"), ...ids("b")]).size, 200);
  const form = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  assertEquals(ids("a").filter((id) => !form.test(id)), []);
});
