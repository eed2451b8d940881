/** A stand-in that answers a KIE call with whatever a test has recorded. */
import type { SubmitOutcome, VideoProvider, VideoTask } from "../../shared/providers/provider.ts";
import { createKieProvider, type KieConfig } from "../../shared/providers/kie/adapter.ts";

export const KIE_KEY = "kie_0123456789abcdef";
export const JOB = "aaaaaaaa-1111-4111-8111-111111111111";
export const TASK = "e6f55ca53acc915af3c792cf9fde4253";

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

/** Runs the work against a server on this machine that answers each call by `answer`. */
export async function withKie(
  answer: Recorded | ((received: Received) => Recorded | Promise<Recorded>),
  work: (provider: VideoProvider, received: readonly Received[]) => Promise<void>,
  config: Partial<KieConfig> = {},
): Promise<void> {
  const received: Received[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const text = await request.text();
    const { method, headers } = request;
    const body: unknown = text === "" ? undefined : JSON.parse(text);
    const call = { method, headers, url: new URL(request.url), body };
    received.push(call);
    const { status = 200, headers: more = {}, body: told } = typeof answer === "function"
      ? await answer(call)
      : answer;
    return new Response(typeof told === "string" ? told : JSON.stringify(told), {
      status,
      headers: { "content-type": "application/json", ...more },
    });
  });
  const url = `http://127.0.0.1:${server.addr.port}`;
  try {
    await work(createKieProvider({ apiKey: KIE_KEY, url, ...config }), received);
  } finally {
    await server.shutdown();
  }
}

/** A task from words alone. */
export function kieTask(more: Partial<VideoTask> = {}): VideoTask {
  return {
    id: JOB,
    model: "kling-2.6",
    prompt: "A duck walks into a pond.",
    durationSeconds: 5,
    width: 1920,
    height: 1080,
    ...more,
  };
}

/** What becomes of one task when its create is answered like this. */
export async function submitted(answer: Recorded): Promise<SubmitOutcome> {
  let outcomes: SubmitOutcome[] = [];
  await withKie(answer, async (provider) => {
    outcomes = await provider.submit([kieTask()]);
  });
  const [outcome] = outcomes;
  if (outcome === undefined) throw new Error("A task has no outcome");
  return outcome;
}
