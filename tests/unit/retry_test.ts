import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { ErrorKind } from "../../shared/providers/provider.ts";
import { failureCode, messageForPeople } from "../../shared/domain/failure_messages.ts";
import { decide, type Ending } from "../../shared/domain/retry.ts";

const kinds: readonly ErrorKind[] = [
  "validation",
  "auth",
  "balance",
  "rate",
  "safety",
  "provider",
  "timeout",
  "unavailable",
  "model_off",
  "not_found",
  "server",
  "unknown",
];
const endings: readonly Ending[] = ["refused", "failed", "missing"];

/** F08: what becomes of every kind, written down. */
const table: Readonly<
  Record<ErrorKind, readonly [refused: string, failed: string, missing: string]>
> = {
  validation: ["fail", "fail", "retry"],
  auth: ["hold", "retry", "retry"],
  balance: ["hold", "retry", "retry"],
  rate: ["hold", "retry", "retry"],
  safety: ["fail", "fail", "retry"],
  provider: ["retry", "retry", "retry"],
  timeout: ["retry", "retry", "retry"],
  unavailable: ["hold", "retry", "retry"],
  model_off: ["fail", "fail", "retry"],
  not_found: ["fail", "fail", "retry"],
  server: ["hold", "retry", "retry"],
  unknown: ["retry", "retry", "retry"],
};

for (const kind of kinds) {
  Deno.test(`F08 an attempt that ends by ${kind} has its rule, whichever way it ended`, () => {
    const actions = endings.map((ending) => decide({ ending, kind, attempt: 1 }).action);
    assertEquals(actions, [...table[kind]]);
  });
}

Deno.test("a fresh attempt waits longer each time", () => {
  const delays = [1, 2, 3].map((attempt) => {
    const decision = decide({ ending: "failed", kind: "provider", attempt });
    return decision.action === "fail" ? undefined : decision.delaySeconds;
  });
  assertEquals(delays, [5, 10, 20]);
});

Deno.test("the provider may ask for more patience, never for less, nor forever", () => {
  const delay = (retryAfterSeconds: number) => {
    const decision = decide({ ending: "refused", kind: "rate", attempt: 1, retryAfterSeconds });
    return decision.action === "hold" ? decision.delaySeconds : undefined;
  };
  assertEquals([delay(120), delay(1), delay(999_999)], [120, 30, 3_600]);
});

Deno.test("every trouble gets a decision with a sane delay", () => {
  const trouble = fc.record({
    ending: fc.constantFrom(...endings),
    kind: fc.constantFrom(...kinds),
    attempt: fc.integer(),
    retryAfterSeconds: fc.nat(),
  });
  fc.assert(fc.property(trouble, (one) => {
    const decision = decide(one);
    if (decision.action === "fail") return;
    assert(decision.delaySeconds >= 1 && decision.delaySeconds <= 3_600);
  }));
});

Deno.test("F40 a parent reads a sentence, and never a word of machinery", () => {
  for (const kind of kinds) {
    const message = messageForPeople(kind);
    assert(/^[A-Z].*\.$/.test(message), message);
    assertEquals(
      /runware|api|key|error|credit|http|model|task|null/i.test(message),
      false,
      message,
    );
    assert(/^[a-z_]+$/.test(failureCode(kind)));
  }
});

Deno.test("apps can tell apart what a user can do something about", () => {
  assertEquals(kinds.map(failureCode), [
    "invalid_request",
    "provider_unavailable",
    "provider_unavailable",
    "provider_busy",
    "content_refused",
    "provider_failed",
    "timed_out",
    "provider_unavailable",
    "invalid_request",
    "provider_failed",
    "provider_unavailable",
    "provider_failed",
  ]);
});
