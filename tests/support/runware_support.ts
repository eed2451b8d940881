/** A stand-in that answers a Runware call with whatever a test has recorded. */
import type {
  SubmitOutcome,
  TaskState,
  VideoProvider,
  VideoTask,
} from "../../shared/providers/provider.ts";
import type { AccountConfig } from "../../shared/providers/http.ts";
import { createRunwareProvider } from "../../shared/providers/runware/adapter.ts";

export const API_KEY = "rw-test-key-0123456789";
export const ID_A = "aaaaaaaa-1111-4111-8111-111111111111";
export const ID_B = "22222222-2222-4222-8222-222222222222";
export const ID_C = "33333333-3333-4333-8333-333333333333";

/** White space beyond what is read of an answer; after JSON it changes nothing else. */
export const FAR_TOO_MUCH = " ".repeat(8 * 1_024 * 1_024);

/** What a recorded answer consists of; a string body is sent as it is. */
export interface Recorded {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body: unknown;
}

/** One call as the stand-in received it. */
export interface Received {
  readonly tasks: readonly Record<string, unknown>[];
  readonly headers: Headers;
}

export interface StandIn {
  readonly url: string;
  readonly received: readonly Received[];
  readonly provider: VideoProvider;
}

/** Runs the work against a server on this machine that answers each call by `answer`. */
export async function withStandIn(
  answer: Recorded | ((received: Received) => Recorded),
  work: (standIn: StandIn) => Promise<void>,
  config: Partial<AccountConfig> = {},
): Promise<void> {
  const received: Received[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const call = { tasks: await request.json(), headers: request.headers };
    received.push(call);
    const { status = 200, headers = {}, body } = typeof answer === "function"
      ? answer(call)
      : answer;
    return new Response(typeof body === "string" ? body : JSON.stringify(body), {
      status,
      headers: { "content-type": "application/json", ...headers },
    });
  });
  const url = `http://127.0.0.1:${server.addr.port}/v1`;
  try {
    const provider = createRunwareProvider({ apiKey: API_KEY, url, ...config });
    await work({ url, received, provider });
  } finally {
    await server.shutdown();
  }
}

export function videoTask(id: string, more: Partial<VideoTask> = {}): VideoTask {
  return {
    id,
    model: "pixverse:1@3",
    prompt: "A duck walks into a pond.",
    durationSeconds: 8,
    width: 1920,
    height: 1080,
    ...more,
  };
}

/** Where an outcome or a state stands, with kind and code of its error where it has one. */
export function standing(one: SubmitOutcome | TaskState | undefined): string {
  if (one === undefined) return "nothing";
  const word = "outcome" in one ? one.outcome : one.state;
  return "error" in one ? `${word} ${one.error.kind} ${one.error.code}` : word;
}
