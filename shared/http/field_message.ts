/** What is wrong with a field, said to the people who call us; zod's own words are for those who use zod. */
import type { z } from "zod";
import { oneOf } from "../one_of.ts";

type Issue = Parameters<z.core.$ZodErrorMap>[0];

/** Longest value that is quoted back, in characters. */
const QUOTED_MAX = 60;

/** For `safeParse(value, { error: fieldMessage })`. Words that a schema brings of its own come first. */
export function fieldMessage(issue: Issue): string | undefined {
  if (issue.input === undefined) return "is required";
  switch (issue.code) {
    case "invalid_type":
      return `must be ${kindOf(issue.expected)}${not(issue.input)}`;
    case "invalid_format":
      return issue.format === "uuid" || issue.format === "guid"
        ? `must be a UUID${not(issue.input)}`
        : undefined;
    case "invalid_value":
      return `must be ${oneOf(issue.values)}${not(issue.input)}`;
    case "too_small":
      return bound(issue, issue.minimum, issue.inclusive === false ? "more than" : "at least");
    case "too_big":
      return bound(issue, issue.maximum, issue.inclusive === false ? "less than" : "at most");
    default:
      return undefined;
  }
}

function bound({ origin, input }: Issue & { origin: string }, limit: unknown, how: string): string {
  if (origin === "string") return `must have ${how} ${counted(limit, "character", "characters")}`;
  if (origin === "array") return `must have ${how} ${counted(limit, "entry", "entries")}`;
  return `must be ${how} ${limit}${not(input)}`;
}

function counted(limit: unknown, one: string, many: string): string {
  return `${limit} ${Number(limit) === 1 ? one : many}`;
}

function kindOf(expected: string): string {
  if (expected === "int") return "a whole number";
  if (expected === "boolean") return "true or false";
  if (expected === "record") return "an object";
  return /^[aeio]/.test(expected) ? `an ${expected}` : `a ${expected}`;
}

/**
 * The value as JSON, where it is short enough to help. Of lists and objects only their kind is told: one
 * that is nested deep enough overflows the stack of Deno 2.1 when it is written as JSON.
 */
function not(input: unknown): string {
  if (Array.isArray(input)) return ", not an array";
  if (typeof input === "object" && input !== null) return ", not an object";
  const text = JSON.stringify(input) ?? String(input);
  return text.length > QUOTED_MAX + 2 ? "" : `, not ${text}`;
}
