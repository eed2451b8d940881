/** How a failure is told to people and to apps. Never in the provider's words. */
import type { ErrorKind } from "../providers/provider.ts";

/** Stable codes for apps, in answers and in `videos.error_code`. */
export type FailureCode =
  | "invalid_request"
  | "content_refused"
  | "provider_failed"
  | "provider_unavailable"
  | "provider_busy"
  | "timed_out";

interface Failure {
  readonly code: FailureCode;
  readonly message: string;
}

const wrongRequest: Failure = {
  code: "invalid_request",
  message: "This video could not be made with the chosen options. Please pick another one.",
};
const engineFailed: Failure = {
  code: "provider_failed",
  message: "Something went wrong while making this video. Please try again.",
};
// Our key and our empty account are our business: for a parent both are one closed studio.
const studioClosed: Failure = {
  code: "provider_unavailable",
  message: "Our video studio is taking a break. Please try again later.",
};

const failures: Readonly<Record<ErrorKind, Failure>> = {
  validation: wrongRequest,
  auth: studioClosed,
  balance: studioClosed,
  rate: {
    code: "provider_busy",
    message: "Our video studio is very busy right now. Please try again in a little while.",
  },
  safety: {
    code: "content_refused",
    message:
      "This picture or story could not be used for a children's video. Please try another one.",
  },
  provider: engineFailed,
  timeout: {
    code: "timed_out",
    message: "This video took too long to make. Please try again.",
  },
  unavailable: studioClosed,
  model_off: wrongRequest,
  not_found: engineFailed,
  server: studioClosed,
  unknown: engineFailed,
};

/** One kind sentence or two that a child's parent can read. Says nothing about gems: that differs. */
export function messageForPeople(kind: ErrorKind): string {
  return failures[kind].message;
}

/** The stable code an app can switch on. */
export function failureCode(kind: ErrorKind): FailureCode {
  return failures[kind].code;
}
