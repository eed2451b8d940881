/** A JSON object whose fields nobody has looked at yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** An error object of Runware's API. */
export interface ApiError {
  readonly code: string;
  readonly message: string;
  readonly parameter?: string | readonly string[];
  readonly type?: string;
  readonly documentation?: string;
  readonly taskType?: string;
  readonly taskUUID?: string;
  readonly min?: number;
  readonly max?: number;
  readonly multiplier?: number;
  readonly allowedValues?: readonly unknown[];
  readonly status?: "error";
  readonly context?: JsonObject;
  readonly responseContent?: string;
}

/** What an answer of the API holds; both keys may be there at once. */
export interface Envelope {
  readonly data?: readonly JsonObject[];
  readonly errors?: readonly ApiError[];
}

/** Where the API's error objects say they are explained. */
export const DOCUMENTATION = "https://runware.ai/docs/platform/errors";

const HTTP_STATUS: Readonly<Record<string, number>> = {
  invalidApiKey: 401,
  missingApiKey: 401,
  insufficientCredits: 402,
  taskNotFound: 404,
  rateLimitExceeded: 429,
  internalServerError: 500,
  noAvailableServer: 503,
};

/** HTTP status that goes with an error code when nothing else is in the answer. */
export function httpStatusOf(code: string): number {
  return HTTP_STATUS[code] ?? 400;
}

/** Whether `value` is a JSON object (not null, not an array). */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The error of a request as a whole; no task is to blame. */
export function requestError(code: string, message: string, more: Partial<ApiError> = {}) {
  return { errors: [{ code, message, documentation: DOCUMENTATION, ...more }] } satisfies Envelope;
}
