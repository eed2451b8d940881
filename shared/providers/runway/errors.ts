/**
 * What goes wrong at Runway, sorted into the kinds of the port. Statuses:
 * docs.dev.runwayml.com/errors/errors; codes of failed tasks: docs.dev.runwayml.com/errors/task-failures
 * and what public clients met. An HTTP error has no code, only a status and a sentence.
 */
import { z } from "zod";
import { keptMessage } from "../answer_text.ts";
import type { HttpAnswer } from "../http.ts";
import { text } from "../lenient.ts";
import type { ErrorKind, ProviderError } from "../provider.ts";

/** Families of failure codes, first match wins. Moderation of every stage ends a task the same way. */
const byFailureCode: readonly (readonly [RegExp, ErrorKind])[] = [
  [/^(INPUT_PREPROCESSING\.|THIRD_PARTY\.)?SAFETY(\.|$)/, "safety"],
  [/^ASSET\.INVALID(\.|$)|(^|\.)INPUT_VALIDATION(\.|$)/, "validation"],
  [/^(INTERNAL|INPUT_PREPROCESSING\.INTERNAL)(\.|$)/, "provider"],
  [/^THIRD_PARTY\.UNAVAILABLE(\.|$)/, "unavailable"],
];

/** The kind of a failed task. A code that is missing or new is the engine's: a fresh attempt may work. */
export function kindOfFailure(code: string | undefined): ErrorKind {
  if (code === undefined) return "provider";
  return byFailureCode.find(([family]) => family.test(code))?.[1] ?? "unknown";
}

const byStatus = new Map<number, ErrorKind>([
  [400, "validation"],
  [401, "auth"],
  [402, "balance"],
  [403, "auth"],
  [404, "not_found"],
  [405, "validation"],
  [413, "validation"],
  [415, "validation"],
  [422, "validation"],
  [429, "rate"],
]);

/** An empty account answers 400 like bad input; only its sentence tells (seen in the field). */
const noCredits = /\bnot\b.{0,20}\benough credits\b|insufficient (credits|balance|funds)/i;
const refusedContent = /moderat|content (polic|filter)|unsafe|prohibited content/i;

/** Our name for what Runway says in a sentence only. */
const NO_CREDITS = "insufficient_credits";

const errorBody = z.object({
  error: text,
  message: text,
  issues: z.array(z.object({
    path: z.array(z.union([z.string(), z.number()])).catch([]),
    message: z.string().optional().catch(undefined),
    values: z.array(z.unknown()).optional().catch(undefined),
  })).catch([]),
}).catch({ issues: [] });

/**
 * An HTTP answer that is not a success, in the words of the port. A 404 without Runway's `error` is not
 * Runway's: what stands in front of it knows neither tasks nor models.
 */
export function toProviderError(answer: HttpAnswer): ProviderError {
  const { status, raw, retryAfterSeconds } = answer;
  const { error, message, issues } = errorBody.parse(answer.json);
  const [issue] = issues;
  const said = [error ?? message, issue?.message].filter((part) => part !== undefined).join(": ");
  const kind = status === 404 && error === undefined ? "server" : kindOf(status, said);
  return {
    kind,
    code: kind === "balance" ? NO_CREDITS : `http_${status}`,
    message: keptMessage(said || `Runway answered with status ${status}`),
    ...(issue === undefined || issue.path.length === 0 ? {} : { parameter: issue.path.join(".") }),
    ...(issue?.values === undefined ? {} : { allowedValues: issue.values }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    raw,
  };
}

function kindOf(status: number, said: string): ErrorKind {
  if (status === 400 && noCredits.test(said)) return "balance";
  if (status === 400 && refusedContent.test(said)) return "safety";
  // Everything else, redirects and 5xx, is an API in trouble: nothing it says about a task counts.
  return byStatus.get(status) ?? "server";
}
