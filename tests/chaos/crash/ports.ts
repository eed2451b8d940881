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

/** Every statement, and begin and commit of every transaction. */
export function watchDatabase(database: Database, crossings: Crossings): Database {
  return {
    query: watchSql(database, crossings).query,
    async transaction(work) {
      crossings.cross("before begin");
      const result = await database.transaction(async (sql) => {
        crossings.cross("after begin");
        const result = await work(watchSql(sql, crossings));
        crossings.cross("before commit");
        return result;
      });
      crossings.cross("after commit");
      return result;
    },
    close: () => database.close(),
  };
}

function watchSql(sql: Sql, crossings: Crossings): Sql {
  return {
    query: (text, values) => crossings.around(statementName(text), () => sql.query(text, values)),
  };
}

/** Every call of the queue, besides the statements it makes. */
export function watchQueue(queue: WorkQueue, crossings: Crossings): WorkQueue {
  return {
    ready: () => crossings.around("queue.ready", () => queue.ready()),
    fetch: (sql, name, most) =>
      crossings.around(`queue.fetch ${name}`, () => queue.fetch(sql, name, most)),
    complete: (sql, name, jobs) =>
      crossings.around(`queue.complete ${name}`, () => queue.complete(sql, name, jobs)),
    retryLater: (sql, name, jobs, reason) =>
      crossings.around(
        `queue.retryLater ${name}`,
        () => queue.retryLater(sql, name, jobs, reason),
      ),
    supervise: () => crossings.around("queue.supervise", () => queue.supervise()),
    close: () => queue.close(),
  };
}

/** Submitting and polling; the POST within is seen by {@linkcode watchFetch}. */
export function watchProvider(provider: VideoProvider, crossings: Crossings): VideoProvider {
  return {
    ...provider,
    submit: (tasks) => crossings.around("provider.submit", () => provider.submit(tasks)),
    poll: (ids) => crossings.around("provider.poll", () => provider.poll(ids)),
  };
}

/** Putting a file away; its stream is seen by {@linkcode watchFetch}, from which it comes. */
export function watchStore(store: ObjectStore, crossings: Crossings): ObjectStore {
  return {
    put: (path, body, type) => crossings.around("store.put", () => store.put(path, body, type)),
  };
}

/**
 * Every HTTP call. "Answered" is the moment the other side has done it and we have read nothing of
 * what it says. A body that is streamed on is crossed half-way and at its end.
 */
export function watchFetch(crossings: Crossings, inner: typeof fetch): typeof fetch {
  return async (input, init) => {
    const request = `${init?.method ?? "GET"} ${placeOf(input)}`;
    crossings.cross(`before ${request}`);
    const response = await inner(input, init);
    crossings.cross(`answered ${request}`);
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
      if (before < length / 2 && passed >= length / 2) crossings.cross(`half of ${request}`);
      controller.enqueue(chunk);
    },
    flush() {
      crossings.cross(`end of ${request}`);
    },
  });
}

/** "runware", "media" or "storage": the same words whatever ids the address holds. */
function placeOf(input: Parameters<typeof fetch>[0]): string {
  const { pathname } = new URL(input instanceof Request ? input.url : input);
  const [, first = ""] = pathname.split("/");
  return first === "v1" ? "runware" : first;
}
