/**
 * The one file of `shared/` that touches the runtime's globals, so that everything else runs
 * anywhere: environment variables, and work that goes on after the answer.
 */

/** Reads one environment variable; empty counts as unset. */
export type Env = (name: string) => string | undefined;

/** The environment of this isolate. */
export const env: Env = (name) => Deno.env.get(name) || undefined;

interface EdgeRuntimeGlobal {
  waitUntil(promise: Promise<unknown>): void;
}

/**
 * Keeps the isolate alive until the promise ends. Not durable: only for work that the queue would
 * do again. Elsewhere than on the edge runtime the process lives on by itself.
 * https://supabase.com/docs/guides/functions/background-tasks
 */
export function waitUntil(promise: Promise<unknown>): void {
  const runtime = (globalThis as { EdgeRuntime?: EdgeRuntimeGlobal }).EdgeRuntime;
  runtime?.waitUntil(promise);
}

const ending = new AbortController();
globalThis.addEventListener("beforeunload", () => ending.abort());

/**
 * Aborted when the platform is about to end this isolate, so that whoever waits can be told to come
 * again. https://supabase.com/docs/guides/functions/background-tasks
 */
export const isolateEnd: AbortSignal = ending.signal;

/** A name for this isolate, for leases and logs. */
export const nodeName: string = `${env("SB_REGION") ?? "local"}-${crypto.randomUUID().slice(0, 8)}`;
