/** A stand-in on this machine that answers each call with whatever a test has recorded. */

/** What a recorded answer consists of; a string body is sent as it is. */
export interface Recorded {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

/** One call as the stand-in received it. */
export interface Received {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: unknown;
}

/** What is answered, to whatever call or depending on it. */
export type Answer = Recorded | ((received: Received) => Recorded | Promise<Recorded>);

/** Runs `work` against the stand-in; `received` grows with each call. */
export async function withRecorded(
  answer: Answer,
  work: (url: string, received: readonly Received[]) => Promise<void>,
): Promise<void> {
  const received: Received[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const text = await request.text();
    const { method, headers, url } = request;
    const call: Received = {
      method,
      headers,
      url: new URL(url),
      body: text === "" ? undefined : JSON.parse(text),
    };
    received.push(call);
    const { status = 200, headers: more, body } = typeof answer === "function"
      ? await answer(call)
      : answer;
    return new Response(
      body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body),
      { status, headers: { "content-type": "application/json", ...more } },
    );
  });
  try {
    await work(`http://127.0.0.1:${server.addr.port}`, received);
  } finally {
    await server.shutdown();
  }
}
