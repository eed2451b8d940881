/** An app gives up after half a minute or so; it is to hear from us before. Milliseconds. */
const CALL_TIMEOUT_MS = 20_000;

/** No word from the database is an answer too, and the caller may ask again under the same key. */
export function fetchInTime(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const late = AbortSignal.timeout(CALL_TIMEOUT_MS);
  const signal = init?.signal ? AbortSignal.any([init.signal, late]) : late;
  return fetch(input, { ...init, signal });
}
