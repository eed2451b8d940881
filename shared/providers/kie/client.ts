/**
 * KIE.AI's jobs API, thinly: create a task, read its record, read the account. An answer that was
 * parsed, or a ProviderError that was named; no retries and no state. Contract: docs.kie.ai/1973359m0
 * and docs.kie.ai/market/common/get-task-detail. The HTTP status is mostly 200 whatever happened, so
 * the code in the body is what counts.
 */
import { z } from "zod";
import { roundUsd } from "../../domain/usd.ts";
import { unreadable } from "../answer_text.ts";
import { answerOrError, type Caller, CallError, type HttpAnswer, plainError } from "../http.ts";
import type { ProviderError } from "../provider.ts";
import { errorOf } from "./codes.ts";
import { type Envelope, readEnvelope } from "./schemas.ts";

/** A task as it goes over the wire. */
export interface CreateTask {
  readonly model: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly callBackUrl?: string;
}

/** An answer that could be read. Its code is that of the body. */
export interface Answer extends Envelope {
  /** Seconds KIE asked us to wait. */
  readonly retryAfterSeconds?: number;
  readonly raw: unknown;
}

/**
 * An answer, or why there is none that can be used. `data`: of a body that says 200 under an HTTP error.
 * It is not believed, but a task that it names is there all the same.
 */
export type Result =
  | { readonly answer: Answer }
  | { readonly error: ProviderError; readonly data?: unknown };

/** What one credit is worth, in USD (the price list gives both). */
const USD_PER_CREDIT = 0.005;

/** Credits in USD. */
export function creditsToUsd(credits: number): number {
  return roundUsd(credits * USD_PER_CREDIT);
}

/** A client of one account. */
export class KieClient {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Creates a task. On an error it is not known what became of it. */
  createTask(task: CreateTask): Promise<Result> {
    return this.#call("POST", "/api/v1/jobs/createTask", task);
  }

  /** Reads a task's record. */
  recordInfo(taskId: string): Promise<Result> {
    return this.#call("GET", `/api/v1/jobs/recordInfo?taskId=${encodeURIComponent(taskId)}`);
  }

  /** What is left on the account, in credits, which come in fractions too. Throws when not told. */
  async credits(): Promise<number> {
    const result = await this.#call("GET", "/api/v1/chat/credit");
    if ("error" in result) throw new Error(result.error.message);
    const credits = z.number().safeParse(result.answer.data);
    if (result.answer.code === 200 && credits.success) return credits.data;
    throw new Error(errorOf(result.answer).message);
  }

  async #call(method: "GET" | "POST", path: string, body?: unknown): Promise<Result> {
    const answer = await answerOrError(() => this.#caller.call(method, path, body));
    return answer instanceof CallError ? { error: plainError(answer) } : readAnswer(answer);
  }
}

function readAnswer({ status, json, raw, retryAfterSeconds }: HttpAnswer): Result {
  const wait = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
  const envelope = readEnvelope(json);
  if (envelope !== undefined && (envelope.code !== 200 || status < 300)) {
    return { answer: { ...envelope, ...wait, raw } };
  }
  if (status < 300) return { error: unreadable("KIE answered in a form that is not known", raw) };
  // A status without a code that agrees may come from what stands in front of the API: its 404 is a wrong
  // address and not a lost task, and its 408 is about the call and not about the task.
  const kind = atTheDoor.has(status) ? errorOf({ code: status, message: "", raw }).kind : "server";
  const message = `KIE answered with status ${status} and no code that says why`;
  const error = { kind, code: `http_${status}`, message, ...wait, raw };
  return { error, ...(envelope === undefined ? {} : { data: envelope.data }) };
}

/** Statuses that mean the same whoever says them. */
const atTheDoor = new Set([401, 403, 429]);
