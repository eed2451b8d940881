/** Milliseconds. An app gives up after half a minute or so; we answer before that. */
const CALL_TIMEOUT_MS = 20_000;

/**
 * `fetch` that gives up after 20 s. Its error becomes our answer (503), and the caller may send the
 * request again under the same key.
 */
export function fetchInTime(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const late = AbortSignal.timeout(CALL_TIMEOUT_MS);
  const signal = init?.signal ? AbortSignal.any([init.signal, late]) : late;
  return fetch(input, { ...init, signal });
}
