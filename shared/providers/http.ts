/**
 * One HTTP call to a provider that speaks JSON: a time limit for all of it, no redirects, no retries,
 * and the key kept out of whatever comes back. What an answer means is for the adapter to say.
 */
import { apiKeyProblem, type ProviderConfig } from "../config.ts";
import { readCapped, TooLongError } from "../http/read_capped.ts";
import { retryAfter } from "../http/retry_after.ts";
import { storableText } from "../storable.ts";
import { parseJson } from "./answer_text.ts";
import type { ErrorKind, ProviderError } from "./provider.ts";
import { neverConnected, sentOnce } from "./send_once.ts";

/** How an adapter uses one account. Everything but the key has a default fit for production. */
export interface AccountConfig extends ProviderConfig {
  /** Milliseconds for one call. */
  readonly timeoutMs?: number;
  readonly fetch?: typeof fetch;
}

/** How to reach a provider. */
export interface CallerOptions {
  /** As people know it: "Runway". */
  readonly provider: string;
  readonly apiKey: string;
  /** Base of the paths that are called, e.g. `https://api.dev.runwayml.com`. */
  readonly url: string;
  /** Milliseconds for one call, its body included. */
  readonly timeoutMs: number;
  /** Sent with every call, beside the key. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly fetch?: typeof fetch;
}

/** What came back, whatever its status. */
export interface HttpAnswer {
  readonly status: number;
  /** The JSON of it; undefined where there was none. */
  readonly json: unknown;
  /** The JSON, or the beginning of what is too long or none. What Postgres cannot store is taken out. */
  readonly raw: unknown;
  /** Seconds we were asked to wait. */
  readonly retryAfterSeconds?: number;
}

/** A call that brought no usable answer. Never holds the key. */
export class CallError extends Error implements ProviderError {
  override readonly name = "CallError";
  readonly kind: ErrorKind;
  readonly code: string;
  readonly retryAfterSeconds?: number;
  readonly raw: unknown;

  constructor({ kind, code, message, retryAfterSeconds, raw }: ProviderError) {
    super(message);
    this.kind = kind;
    this.code = code;
    if (retryAfterSeconds !== undefined) this.retryAfterSeconds = retryAfterSeconds;
    this.raw = raw;
  }
}

/** JSON of so many characters is kept: it is written down for each of up to a hundred tasks. */
const RAW_JSON_MAX = 16_384;
/** Characters kept of an answer that is longer or no JSON, an error page say. */
const RAW_MAX = 2_000;

/** Makes calls with a bearer token. */
export class Caller {
  readonly #options: CallerOptions;

  /** Throws a TypeError when the key or the address cannot be one; the key is not quoted. */
  constructor(options: CallerOptions) {
    const { provider, apiKey, url } = options;
    const problem = apiKeyProblem(apiKey);
    if (problem !== undefined) throw new TypeError(`The ${provider} API key ${problem}`);
    if (!URL.canParse(url)) {
      throw new TypeError(`The ${provider} address must be a URL, not "${url}"`);
    }
    this.#options = { ...options, url: url.replace(/\/+$/, "") };
  }

  /**
   * Calls a path, with a JSON body where one is given. Throws CallError and nothing else, where no
   * answer came: `deadline` (the time was up), `unreachable` (nothing was sent), or `network`.
   */
  async call(method: "GET" | "POST" | "DELETE", path: string, body?: unknown): Promise<HttpAnswer> {
    const { url, apiKey, timeoutMs, headers = {} } = this.#options;
    // Kept unbound, some runtimes refuse to call it ("Illegal invocation").
    const send: typeof fetch = this.#options.fetch ?? ((input, init) => fetch(input, init));
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), timeoutMs);
    try {
      const response = await send(`${url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${apiKey}`,
          ...headers,
        },
        ...(body === undefined ? {} : { body: sentOnce(body) }),
        // A redirect would carry the key to wherever it points.
        redirect: "manual",
        signal: controller.signal,
      });
      return read(response, this.#redact(await textOf(response)));
    } catch (error) {
      throw this.#noAnswer(error, controller.signal);
    } finally {
      clearTimeout(timer);
    }
  }

  #noAnswer(error: unknown, { aborted }: AbortSignal): CallError {
    const { provider, timeoutMs } = this.#options;
    const raw = storableText(this.#redact(error instanceof Error ? error.message : String(error)));
    const [code, message] = aborted
      ? ["deadline", `${provider} did not answer within ${timeoutMs} ms`]
      : [
        neverConnected(error) ? "unreachable" : "network",
        `${provider} could not be reached: ${raw}`,
      ];
    return new CallError({ kind: "server", code, message, raw });
  }

  /** Answers about a refused key may quote it, and answers are kept and logged. */
  #redact(text: string): string {
    return text.replaceAll(this.#options.apiKey, "[redacted]");
  }
}

/** The text of an answer. Of one that is too long it is said so, which is no more readable. */
async function textOf(response: Response): Promise<string> {
  try {
    return await readCapped(response);
  } catch (error) {
    if (error instanceof TooLongError) return error.message;
    throw error;
  }
}

function read(response: Response, text: string): HttpAnswer {
  const json = parseJson(text);
  const wait = retryAfter(response.headers.get("retry-after"));
  return {
    status: response.status,
    json,
    raw: (text.length <= RAW_JSON_MAX ? json : undefined) ?? storableText(text.slice(0, RAW_MAX)),
    ...(wait === undefined ? {} : { retryAfterSeconds: wait }),
  };
}

/** A wire that fails is an answer too; anything else is a bug and passes through. */
export async function answerOrError<T>(call: () => Promise<T>): Promise<T | CallError> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof CallError) return error;
    throw error;
  }
}

/** The fields without the stack, since this is stored as JSON. */
export function plainError(error: CallError): ProviderError {
  const { kind, code, message, retryAfterSeconds, raw } = error;
  const wait = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
  return { kind, code, message, ...wait, raw };
}
