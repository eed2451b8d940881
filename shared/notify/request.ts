/** What all channels do alike: one POST, an answer in good time, and what its status means. */
import { retryAfter } from "../http/retry_after.ts";
import type { Outcome } from "./channel.ts";

/** Milliseconds; a sender has 60 s for a batch before the queue takes it for dead. See stages/notify.ts. */
const TIMEOUT_MS = 10_000;
/** Nobody's error is longer; the rest is not read. */
const MOST_BYTES = 16_384;

/** An answer. Status 0 where none came. */
export interface Answer {
  readonly status: number;
  /** Its beginning; empty where it cannot be read. */
  readonly text: string;
  /** What Retry-After asks for. */
  readonly waitSeconds: number | undefined;
}

/** No answer came, or none that can be read. */
export const NO_ANSWER: Answer = { status: 0, text: "", waitSeconds: undefined };

/**
 * POSTs. Status 0 where no answer came: it may or may not have been taken. An answer whose body
 * cannot be read still says by its status what became of it. Redirects are not followed.
 */
export async function post(
  url: string,
  { headers, body }: { headers: Record<string, string>; body: string | Uint8Array<ArrayBuffer> },
): Promise<Answer> {
  let response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers,
      // A Blob, because anything else Deno's fetch sends again by itself: see providers/send_once.ts.
      body: new Blob([body]),
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    return NO_ANSWER;
  }
  return {
    status: response.status,
    text: await beginning(response).catch(() => ""),
    waitSeconds: retryAfter(response.headers.get("retry-after")),
  };
}

async function beginning(response: Response): Promise<string> {
  let text = "";
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  while (reader !== undefined && text.length < MOST_BYTES) {
    const { done, value } = await reader.read();
    if (done) return text;
    text += value;
  }
  await reader?.cancel();
  return text;
}

/** What an answer means where the channel knows nothing better: 2xx sent, 4xx refused, the rest later. */
export function outcomeOf(answer: Answer): Outcome {
  if (answer.status === 0) return { outcome: "later", code: "no_answer" };
  const { status, waitSeconds } = answer;
  if (status >= 200 && status < 300) return { outcome: "sent" };
  const code = `http_${status}`;
  const passes = status < 400 || status >= 500 || [401, 403, 408, 425, 429].includes(status);
  if (!passes) return { outcome: "refused", code };
  return { outcome: "later", code, ...(waitSeconds === undefined ? {} : { waitSeconds }) };
}
