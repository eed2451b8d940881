/**
 * Runware's REST API, thinly: one POST for many tasks, an answer that was parsed, or an error that was
 * named. No retries and no state: what to do about a lost answer is decided where the money is.
 * Contract: https://runware.ai/docs/platform/introduction. Why not the SDK: docs/adr/0002.
 */
import * as z from "zod";
import { parseJson, secondsOf } from "../answer_text.ts";
import { storableText } from "../../storable.ts";
import type { ErrorKind, ProviderError } from "../provider.ts";
import { neverConnected, sentOnce } from "../send_once.ts";
import { kindOfStatus, toProviderError } from "./errors.ts";
import type { VideoInferenceTask } from "./requests.ts";
import { type Envelope, readEnvelope } from "./schemas.ts";

/** How to reach Runware. */
export interface RunwareClientOptions {
  readonly apiKey: string;
  /** The endpoint, e.g. `https://api.runware.ai/v1`. */
  readonly url: string;
  /** Milliseconds for one call, its body included. */
  readonly timeoutMs: number;
  readonly fetch?: typeof fetch;
}

/** An answer that could be read, whatever its status. */
export interface Answer extends Envelope {
  readonly status: number;
  /** Seconds Runware asked us to wait. */
  readonly retryAfterSeconds?: number;
  readonly raw: unknown;
}

/** What Runware keeps of a task: what was asked, and the last answer it gave about it. */
export interface TaskDetails {
  readonly request: unknown;
  readonly response: unknown;
}

/** A call that brought no usable answer. Never holds the key. */
export class RunwareError extends Error implements ProviderError {
  override readonly name = "RunwareError";
  readonly kind: ErrorKind;
  /** Runware's code verbatim, or `http_<status>`, `network`, `unreachable`, `deadline`, `unreadable`. */
  readonly code: string;
  readonly retryAfterSeconds?: number;
  readonly raw: unknown;

  constructor(error: ProviderError) {
    super(error.message);
    this.kind = error.kind;
    this.code = error.code;
    if (error.retryAfterSeconds !== undefined) this.retryAfterSeconds = error.retryAfterSeconds;
    this.raw = error.raw;
  }
}

const balanceSchema = z.union([
  // A bare number in the documentation of 2025, an object in the types of 2026.
  z.number(),
  z.object({ amount: z.number(), freeBalance: z.number().optional() })
    .transform(({ amount, freeBalance }) => amount + (freeBalance ?? 0)),
]);
const accountSchema = z.object({ balance: balanceSchema });
const detailsSchema = z.object({ request: z.unknown(), response: z.unknown() });

/** A client of one account. */
export class RunwareClient {
  readonly #apiKey: string;
  readonly #url: string;
  readonly #timeoutMs: number;
  readonly #fetch: typeof fetch;

  /** Throws a TypeError when the key or the address cannot be one; the key is not quoted. */
  constructor(options: RunwareClientOptions) {
    // The characters of a bearer token (RFC 6750): none of them is escaped in JSON or breaks a header.
    if (!/^[A-Za-z0-9._~+/=-]+$/.test(options.apiKey)) {
      throw new TypeError("The Runware API key must be letters, digits and -._~+/= only");
    }
    if (!URL.canParse(options.url)) {
      throw new TypeError(`The Runware address must be a URL, not "${options.url}"`);
    }
    this.#apiKey = options.apiKey;
    this.#url = options.url;
    this.#timeoutMs = options.timeoutMs;
    // Kept unbound, some runtimes refuse to call it ("Illegal invocation").
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init));
  }

  /** Hands tasks over. Throws RunwareError where it is unknown what became of them. */
  submit(tasks: readonly VideoInferenceTask[]): Promise<Answer> {
    return this.#post(tasks);
  }

  /** Asks where tasks stand. Throws RunwareError where there was no answer. */
  getResponses(ids: readonly string[]): Promise<Answer> {
    return this.#post(ids.map((taskUUID) => ({ taskType: "getResponse", taskUUID })));
  }

  /** What is left on the account, in USD. Throws RunwareError. */
  async balance(): Promise<number> {
    const taskUUID = crypto.randomUUID();
    const task = { taskType: "accountManagement", taskUUID, operation: "getDetails" };
    return (await this.#one(task, accountSchema)).balance;
  }

  /** What Runware keeps of any earlier task. Throws RunwareError, also when it knows none. */
  async taskDetails(id: string): Promise<TaskDetails> {
    return await this.#one({ taskType: "getTaskDetails", taskUUID: id }, detailsSchema);
  }

  /** One task whose answer comes at once. */
  async #one<T>(task: object, schema: z.ZodType<T>): Promise<T> {
    const answer = await this.#post([task]);
    const [error] = answer.errors;
    if (error !== undefined) throw new RunwareError(toProviderError(error, answer));
    const item = schema.safeParse(answer.items[0]?.raw);
    if (item.success) return item.data;
    throw unreadableAnswer(answer.raw);
  }

  async #post(tasks: readonly object[]): Promise<Answer> {
    const { response, text } = await this.#exchange(tasks);
    const raw = parseJson(text);
    const envelope = readEnvelope(raw);
    const retryAfterSeconds = secondsOf(response.headers.get("retry-after"));
    const wait = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
    if (envelope !== undefined) return { ...envelope, status: response.status, ...wait, raw };
    if (response.ok) throw unreadableAnswer(raw ?? text);
    throw new RunwareError({
      kind: kindOfStatus(response.status) ?? "server",
      code: `http_${response.status}`,
      message: `Runware answered with status ${response.status} and nothing readable`,
      ...wait,
      raw: raw ?? storableText(text.slice(0, RAW_MAX)),
    });
  }

  /** Sends and reads to the end within the time limit. */
  async #exchange(tasks: unknown): Promise<{ response: Response; text: string }> {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), this.#timeoutMs);
    try {
      const response = await this.#fetch(this.#url, {
        method: "POST",
        headers: { authorization: `Bearer ${this.#apiKey}` },
        body: sentOnce(tasks),
        // A redirect would carry the key to wherever it points.
        redirect: "manual",
        signal: controller.signal,
      });
      return { response, text: this.#redact(await response.text()) };
    } catch (error) {
      throw this.#noAnswer(error, controller.signal);
    } finally {
      clearTimeout(timer);
    }
  }

  #noAnswer(error: unknown, signal: AbortSignal): RunwareError {
    const reason = this.#redact(error instanceof Error ? error.message : String(error));
    return new RunwareError({
      kind: "server",
      code: signal.aborted ? "deadline" : neverConnected(error) ? "unreachable" : "network",
      message: signal.aborted
        ? `Runware did not answer within ${this.#timeoutMs} ms`
        : `Runware could not be reached: ${reason}`,
      raw: reason,
    });
  }

  /** Answers about a refused key may quote it, and answers are kept and logged. */
  #redact(text: string): string {
    return text.replaceAll(this.#apiKey, "[redacted]");
  }
}

/** Characters kept of an answer that is no JSON, an error page say. */
const RAW_MAX = 2_000;

function unreadableAnswer(raw: unknown): RunwareError {
  return new RunwareError({
    kind: "server",
    code: "unreadable",
    message: "Runware answered in a form that is not known",
    raw: typeof raw === "string" ? storableText(raw.slice(0, RAW_MAX)) : raw,
  });
}
