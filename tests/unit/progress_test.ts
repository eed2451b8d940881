import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { estimateProgress, etaSeconds } from "../../shared/domain/progress.ts";

const anyNumber = fc.oneof(fc.double(), fc.integer({ min: -10, max: 10_000 }));

Deno.test("a render starts at 15, is near the end at its median and never done by the clock", () => {
  const at = (elapsedSeconds: number) =>
    estimateProgress({ elapsedSeconds, medianSeconds: 60, floor: 0 });
  assertEquals([at(0), at(30), at(60), at(120), at(1e9)], [15, 44, 74, 81, 84]);
});

Deno.test("what the provider tells counts more than the clock", () => {
  const told = (providerProgress: number) =>
    estimateProgress({ elapsedSeconds: 59, medianSeconds: 60, providerProgress, floor: 0 });
  assertEquals([told(0), told(50), told(100), told(900), told(-3)], [15, 50, 85, 85, 15]);
});

Deno.test("progress never goes back, even when the provider's figure does", () => {
  assertEquals(
    estimateProgress({ elapsedSeconds: 5, medianSeconds: 60, providerProgress: 10, floor: 62 }),
    62,
  );
});

Deno.test("progress is a whole number from 15 to 85, not below what was shown, whatever comes in", () => {
  fc.assert(fc.property(
    anyNumber,
    anyNumber,
    fc.option(anyNumber, { nil: undefined }),
    anyNumber,
    (elapsedSeconds, medianSeconds, told, floor) => {
      const providerProgress = told === undefined ? {} : { providerProgress: told };
      const shown = estimateProgress({ elapsedSeconds, medianSeconds, ...providerProgress, floor });
      assert(Number.isInteger(shown) && shown >= 15 && shown <= 85);
      assert(Number.isNaN(floor) || shown >= Math.min(Math.floor(floor), 85));
    },
  ));
});

Deno.test("progress by the clock only grows and stays below 85", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 1_000 }),
    fc.array(fc.nat(100), { minLength: 1 }),
    (medianSeconds, steps) => {
      let elapsedSeconds = 0;
      let floor = 0;
      for (const step of steps) {
        elapsedSeconds += step;
        const shown = estimateProgress({ elapsedSeconds, medianSeconds, floor });
        assert(shown >= floor && shown < 85);
        assertEquals(shown, estimateProgress({ elapsedSeconds, medianSeconds, floor: 0 }));
        floor = shown;
      }
    },
  ));
});

Deno.test("F36 the time left follows the median, then the provider, and is never nothing", () => {
  const eta = (elapsedSeconds: number, providerProgress?: number) =>
    etaSeconds({
      elapsedSeconds,
      medianSeconds: 100,
      ...(providerProgress === undefined ? {} : { providerProgress }),
    });
  assertEquals([eta(0), eta(40), eta(95), eta(500)], [100, 60, 10, 10]);
  assertEquals([eta(30, 50), eta(30, 75), eta(30, 100), eta(30, 1)], [30, 10, 5, 70]);
});

Deno.test("the time left is a whole number of seconds, whatever comes in", () => {
  fc.assert(fc.property(
    fc.nat(100_000),
    anyNumber,
    anyNumber,
    (elapsedSeconds, medianSeconds, providerProgress) => {
      const left = etaSeconds({ elapsedSeconds, medianSeconds, providerProgress });
      assert(left >= 5 && Math.ceil(left) === left);
    },
  ));
});
