import { assertEquals } from "@std/assert";
import { z } from "zod";
import { parseFields } from "../../shared/http/body.ts";
import { HttpError } from "../../shared/http/http_error.ts";

const schema = z.object({
  id: z.uuid(),
  guid: z.guid(),
  words: z.string().min(2).max(5),
  seed: z.int().positive().max(9),
  loud: z.boolean(),
  list: z.array(z.string()).max(1),
  map: z.record(z.string(), z.string()),
  size: z.enum(["small", "medium", "large"]),
  sure: z.literal("yes"),
  own: z.string().regex(/^a/, "must begin with an a"),
});
const right = {
  id: "10000000-0000-4000-8000-000000000001",
  guid: "10000000-0000-0000-0000-000000000001",
  words: "abc",
  seed: 1,
  loud: true,
  list: [],
  map: {},
  size: "small",
  sure: "yes",
  own: "a",
};

const SENTENCES: readonly (readonly [keyof typeof right, unknown, string])[] = [
  ["id", undefined, "is required"],
  ["id", "x", 'must be a UUID, not "x"'],
  ["guid", "x", 'must be a UUID, not "x"'],
  ["id", "x".repeat(61), "must be a UUID"],
  ["id", 7, "must be a string, not 7"],
  ["id", null, "must be a string, not null"],
  ["words", "a", "must have at least 2 characters"],
  ["words", "abcdef", "must have at most 5 characters"],
  ["seed", 1.5, "must be a whole number, not 1.5"],
  ["seed", 0, "must be more than 0, not 0"],
  ["seed", 10, "must be at most 9, not 10"],
  ["loud", "true", 'must be true or false, not "true"'],
  // Deep enough for Deno 2.1 to fail at writing it as JSON.
  [
    "loud",
    JSON.parse("[".repeat(6_000) + "]".repeat(6_000)),
    "must be true or false, not an array",
  ],
  ["list", ["a", "b"], "must have at most 1 entry"],
  ["list", {}, "must be an array, not an object"],
  ["map", [], "must be an object, not an array"],
  ["size", "huge", 'must be "small", "medium" or "large", not "huge"'],
  ["sure", "no", 'must be "yes", not "no"'],
  ["own", "b", "must begin with an a"],
];

Deno.test("a wrong field is told in a sentence that says what is allowed, and the value where it is short", () => {
  for (const [field, value, sentence] of SENTENCES) {
    try {
      parseFields({ ...right, [field]: value }, schema);
      throw new Error(`"${value}" was taken as ${field}`);
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      assertEquals(error.message, `${field}: ${sentence}`);
    }
  }
});
