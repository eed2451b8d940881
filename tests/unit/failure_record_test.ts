import { assertEquals } from "@std/assert";
import { failureRecord } from "../../shared/stages/failure.ts";

Deno.test("an operator sees which field a provider blames, where it names one", () => {
  const error = { kind: "validation", code: "invalidDuration", message: "No." } as const;
  const kept = (more: { parameter?: string; allowedValues?: readonly unknown[]; raw: unknown }) =>
    failureRecord({ ...error, ...more }).provider_error;
  assertEquals(kept({ raw: undefined }), { message: "No.", raw: null });
  assertEquals(kept({ parameter: "duration", allowedValues: [5, 8], raw: {} }), {
    message: "No.",
    parameter: "duration",
    allowed_values: [5, 8],
    raw: {},
  });
});
