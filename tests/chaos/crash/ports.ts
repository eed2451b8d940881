/**
 * The IO ports of a worker with a crossing noted on each side of every call. The stages behind them
 * are the product's own and know nothing of it.
 */
import type { Database, Sql } from "../../../shared/db/database.ts";
import type { WorkQueue } from "../../../shared/db/queue.ts";
import type { VideoProvider } from "../../../shared/providers/provider.ts";
import type { ObjectStore } from "../../../shared/storage/object_store.ts";
import type { Crossings } from "./crossings.ts";
import { statementName } from "./statement_name.ts";

/**
 * Every statement, and begin and commit of every transaction. What a transaction does is seen by others
 * when it commits, and not before.
 */
export function watchDatabase(database: Database, crossings: Crossings): Database {
  return {
    query: (text, values) =>
      crossings.effect(statementName(text), () => database.query(text, values)),
    async transaction(work) {
      crossings.cross("before begin", { starts: false });
      const result = await database.transaction(async (sql) => {
        crossings.cross("after begin", { starts: false });
        const result = await work(watchTransaction(sql, crossings));
        crossings.cross("before commit", { starts: true });
        return result;
      });
      crossings.cross("after commit", { starts: false });
      return result;
    },
    close: () => database.close(),
  };
}

function watchTransaction(sql: Sql, crossings: Crossings): Sql {
  return {
    query: (text, values) => crossings.call(statementName(text), () => sql.query(text, values)),
  };
}

/** Every call of the queue, besides the statements it makes. */
export function watchQueue(queue: WorkQueue, crossings: Crossings): WorkQueue {
  return {
    ready: () => crossings.call("queue.ready", () => queue.ready()),
    fetch: (sql, name, most) =>
      crossings.call(`queue.fetch ${name}`, () => queue.fetch(sql, name, most)),
    complete: (sql, name, jobs) =>
      crossings.call(`queue.complete ${name}`, () => queue.complete(sql, name, jobs)),
    retryLater: (sql, name, jobs, reason) =>
      crossings.call(
        `queue.retryLater ${name}`,
        () => queue.retryLater(sql, name, jobs, reason),
      ),
    supervise: () => crossings.call("queue.supervise", () => queue.supervise()),
    close: () => queue.close(),
  };
}

/** Submitting and polling; the POST within is seen by {@linkcode watchFetch}. */
export function watchProvider(provider: VideoProvider, crossings: Crossings): VideoProvider {
  return {
    ...provider,
    submit: (tasks, options) =>
      crossings.call("provider.submit", () => provider.submit(tasks, options)),
    poll: (ids, options) => crossings.call("provider.poll", () => provider.poll(ids, options)),
  };
}

/** Putting a file away; its stream is seen by {@linkcode watchFetch}, from which it comes. */
export function watchStore(store: ObjectStore, crossings: Crossings): ObjectStore {
  return {
    put: (path, body, type) => crossings.call("store.put", () => store.put(path, body, type)),
  };
}

/**
 * Every HTTP call. "Answered" is the moment the other side has done it and we have read nothing of
 * what it says. A body that is streamed on is crossed half-way and at its end.
 */
export function watchFetch(crossings: Crossings, inner: typeof fetch): typeof fetch {
  return async (input, init) => {
    const request = `${init?.method ?? "GET"} ${placeOf(input)}`;
    crossings.cross(`before ${request}`, { starts: true });
    const response = await inner(input, init);
    crossings.cross(`answered ${request}`, { starts: false });
    const length = Number(response.headers.get("content-length"));
    const isFile = response.headers.get("content-type") === "video/mp4";
    if (!isFile || !response.ok || response.body === null) return response;
    const body = response.body.pipeThrough(watchBytes(crossings, { request, length }));
    return new Response(body, { status: response.status, headers: response.headers });
  };
}

function watchBytes(
  crossings: Crossings,
  { request, length }: { request: string; length: number },
): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  let passed = 0;
  return new TransformStream({
    transform(chunk, controller) {
      const before = passed;
      passed += chunk.byteLength;
      if (before < length / 2 && passed >= length / 2) {
        crossings.cross(`half of ${request}`, { starts: true });
      }
      controller.enqueue(chunk);
    },
    flush() {
      crossings.cross(`end of ${request}`, { starts: true });
    },
  });
}

/** "runware", "runway tasks", "kie createTask", "fcm", "media"…: the same words whatever ids there are. */
function placeOf(input: Parameters<typeof fetch>[0]): string {
  const { pathname } = new URL(input instanceof Request ? input.url : input);
  const [, first = "", second = ""] = pathname.split("/");
  if (first === "api") return `kie ${pathname.split("/").at(-1)}`;
  if (first !== "v1") return first;
  if (pathname.endsWith(":send")) return "fcm";
  return second === "" ? "runware" : `runway ${second}`;
}
