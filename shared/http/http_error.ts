/** Errors that are answers: a status, a stable code, a sentence for people, and nothing of ours. */

/** Thrown anywhere behind a door; the door turns it into the answer. */
export class HttpError extends Error {
  override name = "HttpError";
  constructor(
    readonly status: number,
    /** Stable, for programs. */
    readonly code: string,
    /** A sentence for people. */
    message: string,
    readonly extra: { details?: unknown; headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(message, { cause: extra.cause });
  }
}

/** One wrong field of a request: which, what is wrong, and what would be right. */
export interface FieldProblem {
  readonly field: string;
  readonly message: string;
  readonly allowed?: unknown;
}

/** 400 or 422 that names every wrong field. */
export function invalidFields(status: 400 | 422, problems: readonly FieldProblem[]): HttpError {
  const sentence = problems.map((problem) => `${problem.field}: ${problem.message}`).join("; ");
  return new HttpError(
    status,
    status === 400 ? "invalid_request" : "unsupported_option",
    sentence,
    { details: problems },
  );
}

/** 500: a mistake of ours, of which the caller is told no more. */
export function internalError(cause: unknown): HttpError {
  return new HttpError(500, "internal_error", "Something went wrong on our side", { cause });
}

/** 503: whoever we need did not answer. The caller is to come again in five seconds. */
export function unavailable(cause: unknown): HttpError {
  return new HttpError(503, "unavailable", "We are very busy. Please try again in a moment", {
    cause,
    headers: { "retry-after": "5" },
  });
}

/** An error of PostgREST, as supabase-js hands it over. */
export interface RpcError {
  /** SQLSTATE or PostgREST's own; empty where nobody answered, absent where somebody on the way did. */
  readonly code?: string;
  readonly message: string;
  readonly details?: string | null;
}

/** Our own SQLSTATEs (class GM) and what they mean over HTTP. The text is never looked at. */
const byState: Record<
  string,
  { status: number; code: string; sentence?: string; retryAfter?: string }
> = {
  GM001: {
    status: 402,
    code: "insufficient_gems",
    sentence: "There are not enough gems for this video",
  },
  GM002: { status: 409, code: "idempotency_key_reused" },
  GM004: { status: 429, code: "queue_limit", retryAfter: "30" },
  GM005: { status: 404, code: "not_found" },
  GM006: { status: 409, code: "not_possible_now" },
  GM008: { status: 400, code: "invalid_request" },
  GM010: { status: 422, code: "unsupported_option" },
  GM011: { status: 403, code: "consent_required" },
  GM012: { status: 422, code: "unsupported_option" },
  GM013: { status: 429, code: "daily_limit" },
};

/**
 * No answer in time, the API could not reach the database, or Postgres ended the transaction for what
 * passes (a deadlock, a time limit, a lack of connections, memory or disk) and nothing of it was kept:
 * no code at all, SQLSTATE classes 08, 40, 53 and 57, 55P03, PostgREST's own group 0
 * (docs.postgrest.org, "Errors").
 */
const UNREACHABLE = /^$|^08|^40|^53|^55P03|^57|^PGRST00/;

/** Maps a database error by its SQLSTATE; anything unknown is a 500 without a word of it. */
export function fromRpcError(error: RpcError): HttpError {
  const code = error.code ?? "";
  const known = byState[code];
  if (known === undefined && UNREACHABLE.test(code)) return unavailable(error);
  if (known === undefined) return internalError(error);
  const details = parseDetails(error.details);
  const retryAfter = known.retryAfter ?? secondsIn(details);
  return new HttpError(known.status, known.code, known.sentence ?? error.message, {
    cause: error,
    details: asProblems(details, error.message),
    ...(retryAfter === undefined ? {} : { headers: { "retry-after": retryAfter } }),
  });
}

/**
 * Whether Postgres itself refused the call, so that nothing of it was kept and it may be made again in
 * parts. Not where it ran out of time or resources, or is going down: the caller is to come back later.
 */
export function wasUndone(error: unknown): boolean {
  if (!(error instanceof HttpError)) return false;
  const { cause } = error.extra;
  const code = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : null;
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) &&
    !/^(08|53|55P03|57|40003)/.test(code);
}

/** When to come back, where that is known only there. */
function secondsIn(details: unknown): string | undefined {
  const isTold = typeof details === "object" && details !== null && "retry_after" in details;
  return isTold ? String(details.retry_after) : undefined;
}

/** A wrong field is told in one form everywhere: a list of problems. */
function asProblems(details: unknown, message: string): unknown {
  const names = typeof details === "object" && details !== null && "field" in details;
  return names ? [{ ...details, message }] : details;
}

function parseDetails(details: string | null | undefined): unknown {
  if (!details) return undefined;
  try {
    return JSON.parse(details);
  } catch {
    return undefined;
  }
}
