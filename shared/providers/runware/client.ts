/**
 * Runware's REST API, thinly: one POST for many tasks, an answer that was parsed, or an error that was
 * named. No retries and no state: what to do about a lost answer is decided where the money is.
 * Contract: https://runware.ai/docs/platform/introduction. Why not the SDK: docs/adr/0002.
 */
import { z } from "zod";
import { unreadable } from "../answer_text.ts";
import { answerOrError, type Caller, CallError } from "../http.ts";
import { kindOfStatus, toProviderError } from "./errors.ts";
import type { VideoInferenceTask } from "./requests.ts";
import { type Envelope, readEnvelope } from "./schemas.ts";

/** An answer that could be read, whatever its status. */
export interface Answer extends Envelope {
  readonly status: number;
  /** Seconds Runware asked us to wait. */
  readonly retryAfterSeconds?: number;
  readonly raw: unknown;
}

const balanceSchema = z.union([
  // A bare number in the documentation of 2025, an object in the types of 2026.
  z.number(),
  z.object({ amount: z.number(), freeBalance: z.number().optional() })
    .transform(({ amount, freeBalance }) => amount + (freeBalance ?? 0)),
]);
const accountSchema = z.object({ balance: balanceSchema });

/** A client of one account. */
export class RunwareClient {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Hands tasks over. On an error it is not known what became of them. */
  submit(tasks: readonly VideoInferenceTask[]): Promise<Answer | CallError> {
    return answerOrError(() => this.#post(tasks));
  }

  /** Asks where tasks stand. */
  getResponses(ids: readonly string[]): Promise<Answer | CallError> {
    return answerOrError(() =>
      this.#post(ids.map((taskUUID) => ({ taskType: "getResponse", taskUUID })))
    );
  }

  /** What is left on the account, in USD. Throws CallError. */
  async balance(): Promise<number> {
    const taskUUID = crypto.randomUUID();
    const task = { taskType: "accountManagement", taskUUID, operation: "getDetails" };
    const answer = await this.#post([task]);
    const [error] = answer.errors;
    if (error !== undefined) throw new CallError(toProviderError(error, answer));
    const account = accountSchema.safeParse(answer.items[0]?.raw);
    if (account.success) return account.data.balance;
    throw notKnown(answer.raw);
  }

  async #post(tasks: readonly object[]): Promise<Answer> {
    const { status, json, raw, retryAfterSeconds } = await this.#caller.call("POST", "", tasks);
    const wait = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
    const envelope = readEnvelope(json);
    if (envelope !== undefined) return { ...envelope, status, ...wait, raw };
    if (status < 300) throw notKnown(raw);
    throw new CallError({
      kind: kindOfStatus(status) ?? "server",
      code: `http_${status}`,
      message: `Runware answered with status ${status} and nothing readable`,
      ...wait,
      raw,
    });
  }
}

function notKnown(raw: unknown): CallError {
  return new CallError(unreadable("Runware answered in a form that is not known", raw));
}
