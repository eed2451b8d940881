/** From a provider's error to what the rows keep: the decision, the provider's words, and ours. */
import type { FailureRecord } from "../db/submit_calls.ts";
import { decide, type Decision, type Ending } from "../domain/retry.ts";
import { failureCode, messageForPeople } from "../domain/failure_messages.ts";
import type { ProviderError } from "../providers/provider.ts";

/** The part of a record that tells what went wrong. */
export function failureRecord(error: ProviderError): FailureRecord {
  return {
    code: error.code,
    kind: error.kind,
    people_code: failureCode(error.kind),
    people_message: messageForPeople(error.kind),
    provider_error: {
      message: error.message,
      ...(error.parameter === undefined ? {} : { parameter: error.parameter }),
      ...(error.allowedValues === undefined ? {} : { allowed_values: error.allowedValues }),
      raw: error.raw ?? null,
    },
  };
}

/** What to do about it. How many attempts there may be is the database's to know. */
export function decideAbout(ending: Ending, error: ProviderError, attempt: number): Decision {
  return decide({
    ending,
    kind: error.kind,
    attempt,
    ...(error.retryAfterSeconds === undefined
      ? {}
      : { retryAfterSeconds: error.retryAfterSeconds }),
  });
}
