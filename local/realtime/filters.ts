/**
 * What a client asks of `postgres_changes`: event, table and filters such as
 * `user_id=eq.7,progress=gt.50`.
 */
import { z } from "zod";

const OPERATORS = [
  ...["eq", "neq", "lt", "lte", "gt", "gte", "in"],
  ...["like", "ilike", "is", "match", "imatch", "isdistinct"],
] as const;

/**
 * One condition on a row. `value` is text in the form Postgres reads; a list for `in` is an array
 * literal.
 */
export interface Filter {
  readonly column: string;
  readonly operator: string;
  readonly value: string;
  readonly negate: boolean;
}

/** What to tell a client of. */
export interface Interest {
  readonly event: "*" | "INSERT" | "UPDATE" | "DELETE";
  readonly schema: string;
  /** "*": each published table of the schema. */
  readonly table: string;
  readonly filters: readonly Filter[];
  /** Columns to send beside the key; null sends all. */
  readonly select: readonly string[] | null;
}

/** An interest that makes no sense; the message goes to the client. */
export class InterestError extends Error {
  override readonly name = "InterestError";
}

const asked = z.object({
  event: z.string().transform((event) => event.toUpperCase())
    .pipe(z.enum(["*", "INSERT", "UPDATE", "DELETE"])).catch("*"),
  schema: z.string().optional(),
  table: z.string().optional(),
  filter: z.string().optional(),
  select: z.array(z.string()).optional(),
});

/** Throws `InterestError`. */
export function parseInterest(params: unknown): Interest {
  const { data } = asked.safeParse(params);
  if (!data || (data.schema === undefined && data.table === undefined)) {
    throw new InterestError(
      `No subscription params provided. Please provide at least a \`schema\` or \`table\` to subscribe to: ${
        JSON.stringify(params)
      }`,
    );
  }
  return {
    event: data.event,
    schema: data.schema ?? "public",
    table: data.table ?? "*",
    filters: parseFilters(data.filter ?? ""),
    select: data.select?.length ? data.select : null,
  };
}

function parseFilters(text: string): Filter[] {
  return text.trim() === "" ? [] : splitOutside(text.trim()).map(parseFilter);
}

/** Cuts at commas that are neither in quotes nor in brackets. */
function splitOutside(text: string): string[] {
  const parts = [""];
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    const last = parts.length - 1;
    if (char === "," && depth === 0 && !quoted) {
      parts.push("");
      continue;
    }
    parts[last] += char;
    if (quoted && char === "\\") parts[last] += text.charAt(++at);
    else if (char === '"' && (quoted || /[.(,]/.test(text.charAt(at - 1)))) quoted = !quoted;
    else if (!quoted && char === "(") depth++;
    else if (!quoted && char === ")") depth = Math.max(0, depth - 1);
  }
  return parts;
}

function parseFilter(text: string): Filter {
  const match = /^([^=]+)=(not\.)?([a-z]+)\.(.*)$/s.exec(text.trim());
  const [, column = "", not, operator = "", value = ""] = match ?? [];
  if (!OPERATORS.some((known) => known === operator)) {
    throw new InterestError(`Error parsing \`filter\` params: ${JSON.stringify(text)}`);
  }
  return { column, operator, value: readValue(operator, value), negate: not !== undefined };
}

function readValue(operator: string, value: string): string {
  if (operator === "in") {
    if (!/^\(.*\)$/s.test(value)) {
      throw new InterestError(
        "Error parsing `filter` params: `in` filter value must be wrapped by parentheses",
      );
    }
    return `{${value.slice(1, -1)}}`;
  }
  if (operator === "is" && !["null", "true", "false", "unknown"].includes(value)) {
    throw new InterestError(
      "invalid value for is filter: must be null, true, false, or unknown",
    );
  }
  const quoted = /^"((?:[^"\\]|\\.)*)"$/s.exec(value);
  return quoted?.[1] === undefined ? value : quoted[1].replace(/\\(.)/gs, "$1");
}
