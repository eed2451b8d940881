/** Server-Sent Events, as https://html.spec.whatwg.org/multipage/server-sent-events.html has them. */

/** One event. */
export interface ServerEvent {
  readonly event: string;
  /** What the client sends as Last-Event-ID when it comes again. */
  readonly id?: string;
  /** Sent as JSON. */
  readonly data: unknown;
}

/** The sending end of a stream. Both do nothing once it is over, whoever ended it. */
export interface EventSink {
  send(event: ServerEvent): void;
  end(): void;
}

/** Often enough for proxies, which cut what is silent for a minute. */
const HEARTBEAT_MS = 15_000;
/** How long a client waits before it comes again. */
const RETRY_MS = 1_000;

/**
 * A stream of events as an answer. `open` is called at once and answers what to do when the stream is
 * over, be it that the client went away.
 */
export function eventStream(
  open: (sink: EventSink) => () => void,
  { heartbeatMs = HEARTBEAT_MS }: { heartbeatMs?: number } = {},
): Response {
  const encoder = new TextEncoder();
  let over = false;
  let heartbeat: ReturnType<typeof setInterval> | undefined;
  let close = () => {};
  const finish = () => {
    if (over) return;
    over = true;
    clearInterval(heartbeat);
    close();
  };
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const write = (text: string) => over || controller.enqueue(encoder.encode(text));
      write(`retry: ${RETRY_MS}\n\n`);
      heartbeat = setInterval(() => write(": still here\n\n"), heartbeatMs);
      close = open({
        send: ({ event, id, data }) =>
          void write(
            `${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${
              JSON.stringify(data)
            }\n\n`,
          ),
        end() {
          if (over) return;
          finish();
          controller.close();
        },
      });
      // It ended before there was anything to close.
      if (over) close();
    },
    cancel: finish,
  });
  return new Response(body, {
    headers: {
      "content-type": "text/event-stream",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
    },
  });
}
