/** A stand-in that answers a Runway call with whatever a test has recorded. */
import type { VideoProvider, VideoTask } from "../../shared/providers/provider.ts";
import { createRunwayProvider, type RunwayConfig } from "../../shared/providers/runway/adapter.ts";

export const RUNWAY_KEY = "key_0123456789abcdef";
export const JOB = "aaaaaaaa-1111-4111-8111-111111111111";
export const TASK = "22222222-2222-4222-8222-222222222222";

/** What a recorded answer consists of; a string body is sent as it is. */
export interface Recorded {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

/** One call as the stand-in received it. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: unknown;
}

/** Runs the work against a server on this machine that answers each call by `answer`. */
export async function withRunway(
  answer: Recorded | ((received: Received) => Recorded | Promise<Recorded>),
  work: (provider: VideoProvider, received: readonly Received[]) => Promise<void>,
  config: Partial<RunwayConfig> = {},
): Promise<void> {
  const received: Received[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const text = await request.text();
    const { method, headers, url } = request;
    const body: unknown = text === "" ? undefined : JSON.parse(text);
    const call = { method, headers, path: new URL(url).pathname, body };
    received.push(call);
    const { status = 200, headers: more = {}, body: told } = typeof answer === "function"
      ? await answer(call)
      : answer;
    return new Response(
      told === undefined ? null : typeof told === "string" ? told : JSON.stringify(told),
      { status, headers: { "content-type": "application/json", ...more } },
    );
  });
  const url = `http://127.0.0.1:${server.addr.port}`;
  try {
    await work(createRunwayProvider({ apiKey: RUNWAY_KEY, url, ...config }), received);
  } finally {
    await server.shutdown();
  }
}

/** A task from words alone. */
export function runwayTask(more: Partial<VideoTask> = {}): VideoTask {
  return {
    id: JOB,
    model: "gen4.5",
    prompt: "A duck walks into a pond.",
    durationSeconds: 5,
    width: 1280,
    height: 720,
    ...more,
  };
}
