import pg from "pg";
import type { BackgroundService } from "./background.ts";
import { createPool } from "./pool.ts";

/** pg_net reads at most this many requests at once (its setting `pg_net.batch_size`). */
const BATCH_SIZE = 200;

/** pg_net keeps answers this long (its setting `pg_net.ttl`). */
const KEPT = "6 hours";

interface QueuedRequest {
  readonly id: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string> | null;
  readonly body: Uint8Array<ArrayBuffer> | null;
  readonly timeout_milliseconds: number;
}

interface Outcome {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly content?: string;
  readonly timedOut: boolean;
  readonly error?: string;
}

/**
 * Does what pg_net's worker does for the tables of local/sql/net.sql: sends each queued request
 * once, after its transaction has committed, never again, and records the answer.
 */
export async function startNetStandIn(databaseUrl: string): Promise<BackgroundService> {
  const pool = createPool(databaseUrl, { name: "pg_net", max: 4 });
  const worker = new NetWorker(pool);
  const listener = await listen(databaseUrl, () => worker.wake());
  // Requests that were queued before we listened.
  worker.wake();
  return {
    async stop() {
      await listener.stop();
      await worker.stop();
      await pool.end();
    },
  };
}

class NetWorker {
  readonly #inFlight = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  #draining: Promise<void> | null = null;
  #wokenMeanwhile = false;

  constructor(private readonly pool: pg.Pool) {}

  wake(): void {
    if (this.#draining) {
      this.#wokenMeanwhile = true;
      return;
    }
    this.#draining = this.#drain()
      // The database is gone or stopping; the rows stay and the next wake finds them.
      .catch(() => {})
      .finally(() => {
        this.#draining = null;
        if (this.#wokenMeanwhile && !this.#stopping.signal.aborted) this.wake();
      });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#draining;
    await Promise.all(this.#inFlight);
  }

  async #drain(): Promise<void> {
    this.#wokenMeanwhile = false;
    while (!this.#stopping.signal.aborted) {
      if (this.#inFlight.size >= BATCH_SIZE) await Promise.race(this.#inFlight);
      const { rows } = await this.pool.query<QueuedRequest>(
        `delete from net.http_request_queue where id in (
           select id from net.http_request_queue order by id limit $1 for update skip locked
         ) returning *`,
        [BATCH_SIZE - this.#inFlight.size],
      );
      if (rows.length === 0) return;
      for (const request of rows) this.#start(request);
    }
  }

  #start(request: QueuedRequest): void {
    const sending = this.#send(request).finally(() => this.#inFlight.delete(sending));
    this.#inFlight.add(sending);
  }

  async #send(request: QueuedRequest): Promise<void> {
    const outcome = await attempt(request, this.#stopping.signal);
    await this.pool.query(
      `with expired as (delete from net._http_response where created < now() - $1::interval)
       insert into net._http_response (id, status_code, content_type, headers, content, timed_out, error_msg)
       values ($2, $3, $4, $5, $6, $7, $8)`,
      [
        KEPT,
        request.id,
        outcome.status ?? null,
        outcome.headers?.["content-type"] ?? null,
        outcome.headers ?? null,
        outcome.content ?? null,
        outcome.timedOut,
        outcome.error ?? null,
      ],
    ).catch(() => {});
  }
}

async function attempt(request: QueuedRequest, stopping: AbortSignal): Promise<Outcome> {
  const limit = AbortSignal.timeout(request.timeout_milliseconds);
  try {
    const response = await fetch(request.url, {
      method: request.method,
      headers: request.headers ?? {},
      body: request.body,
      signal: AbortSignal.any([limit, stopping]),
    });
    const headers = Object.fromEntries(response.headers);
    return { status: response.status, headers, content: await response.text(), timedOut: false };
  } catch (error) {
    if (limit.aborted) {
      const error = `Timeout of ${request.timeout_milliseconds} ms reached`;
      return { timedOut: true, error };
    }
    return { timedOut: false, error: error instanceof Error ? error.message : String(error) };
  }
}

/** Keeps one connection that listens, also over a restart of the database. */
async function listen(databaseUrl: string, heard: () => void): Promise<BackgroundService> {
  let client: pg.Client | null = null;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let stopped = false;

  async function connect(): Promise<void> {
    const next = new pg.Client({ connectionString: databaseUrl, application_name: "pg_net" });
    next.on("error", () => {});
    next.on("notification", heard);
    next.on("end", () => {
      if (client === next && !stopped) reconnectSoon();
    });
    await next.connect();
    await next.query("listen net_standin");
    client = next;
  }

  function reconnectSoon(): void {
    client = null;
    retry = setTimeout(() => connect().then(heard, reconnectSoon), 200);
  }

  await connect();
  return {
    async stop() {
      stopped = true;
      clearTimeout(retry);
      await client?.end().catch(() => {});
    },
  };
}
