/** An app gives up after half a minute or so, so we answer before that. Milliseconds. */
const CALL_TIMEOUT_MS = 20_000;

/** A timeout counts as an answer: the caller may retry with the same key. */
export function fetchInTime(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const late = AbortSignal.timeout(CALL_TIMEOUT_MS);
  const signal = init?.signal ? AbortSignal.any([init.signal, late]) : late;
  return fetch(input, { ...init, signal });
}
