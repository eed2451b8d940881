/** What is wrong with a function's answers to a caller without credentials. Pure. */
import { z } from "zod";
import { parseJson } from "../json.ts";
import type { Problems } from "./report.ts";

/** One answer, as far as it is looked at. */
export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** The answers to the three methods that are tried. */
export interface Answers {
  readonly GET: Answer;
  readonly POST: Answer;
  readonly OPTIONS: Answer;
}

const refusalSchema = z.object({
  success: z.literal(false),
  error: z.string().min(1),
  code: z.string(),
  request_id: z.uuid(),
});

const REFUSALS: Readonly<Record<number, string>> = {
  401: "unauthorized",
  405: "method_not_allowed",
};

/**
 * A function takes GET, POST or both: what it takes must be refused with 401, the other with 405,
 * each in our own form; OPTIONS is for browsers and answers 204 without a body.
 */
export function findAnswerFaults({ GET, POST, OPTIONS }: Answers): Problems {
  const statuses = [GET.status, POST.status].sort();
  return [
    ...statuses[0] === 401 && (statuses[1] === 401 || statuses[1] === 405)
      ? []
      : [`GET answers ${GET.status} and POST ${POST.status}, not 401, or one 401 and one 405`],
    ...refusalFaults("GET", GET),
    ...refusalFaults("POST", POST),
    ...OPTIONS.status === 204 && OPTIONS.text === ""
      ? []
      : [`OPTIONS answers ${OPTIONS.status} "${OPTIONS.text.slice(0, 100)}", not an empty 204`],
  ];
}

function refusalFaults(method: string, { status, text }: Answer): Problems {
  const parsed = refusalSchema.safeParse(parseJson(text));
  if (!parsed.success) return [`${method} answers "${text.slice(0, 200)}", not our form of error`];
  const expected = REFUSALS[status];
  return expected === undefined || parsed.data.code === expected
    ? []
    : [`${method} answers ${status} with the code "${parsed.data.code}", not "${expected}"`];
}
