/**
 * The port that every video provider stands behind. An adapter turns these calls into the
 * provider's own API and its answers into these unions; nothing outside `shared/providers/<name>/`
 * knows what a provider's JSON looks like.
 */
import type { VideoRequest } from "../domain/models.ts";

/** How an error is to be handled; the provider's own code is kept beside it, verbatim. */
export type ErrorKind =
  | "validation" // our input is wrong: the same input fails again
  | "auth" // our key is refused: stop and tell the operator
  | "balance" // our account is empty: wait until it is filled
  | "rate" // too much at once: later, same task
  | "safety" // the content is refused: the same input fails again
  | "provider" // the provider's engine failed: a fresh attempt may work
  | "timeout" // the provider gave up waiting: a fresh attempt may work
  | "unavailable" // no room, or the engine is away: later, or elsewhere
  | "model_off" // the provider does not offer this model (any more): elsewhere
  | "not_found" // the provider does not know the task
  | "server" // the API itself is in trouble (5xx, unreadable answer, no answer)
  | "unknown"; // none of the above

/** The code of a result that was made, and paid for, in a form that we do not know. */
export const RESULT_UNREADABLE = "result_unreadable";

/** An error as the provider told it. `raw` is for operators only and never reaches a user. */
export interface ProviderError {
  readonly kind: ErrorKind;
  /**
   * The provider's code verbatim, or `http_<status>`, `network`, `unreachable` (nothing was sent),
   * `deadline`, `unreadable`, `result_unreadable`, `lease_over` (no time was left to send anything).
   */
  readonly code: string;
  readonly message: string;
  /** The request field the provider blames, where it names one. */
  readonly parameter?: string;
  readonly allowedValues?: readonly unknown[];
  /** Seconds the provider asked us to wait. */
  readonly retryAfterSeconds?: number;
  readonly raw: unknown;
}

/** One attempt to make one video: what a provider is asked to render. */
export interface VideoTask extends VideoRequest {
  /** The video job's id (UUID v4). It is the provider's task id wherever the provider lets us choose. */
  readonly id: string;
  readonly model: string;
  /** Where the provider may ring when the task ends; absent where we are not reachable. */
  readonly webhookUrl?: string;
}

/** What became of handing one task over. Exactly one per task, whatever happened on the wire. */
export type SubmitOutcome =
  | { readonly id: string; readonly outcome: "accepted"; readonly providerTaskId: string }
  /** The provider said no: nothing was bought. */
  | { readonly id: string; readonly outcome: "refused"; readonly error: ProviderError }
  /** Nothing is known about this task: it may have been bought. */
  | { readonly id: string; readonly outcome: "unknown"; readonly error: ProviderError };

/** Where one task stands, as the provider tells it. Exactly one per id asked for. */
export type TaskState =
  | { readonly id: string; readonly state: "processing"; readonly progress?: number }
  | {
    readonly id: string;
    readonly state: "succeeded";
    readonly videoUrl: string;
    readonly costUsd?: number;
  }
  | {
    readonly id: string;
    readonly state: "failed";
    readonly error: ProviderError;
    /** What was billed all the same, where the provider tells. */
    readonly costUsd?: number;
  }
  /** The provider says it does not know this task (any more). */
  | { readonly id: string; readonly state: "missing"; readonly error: ProviderError }
  /** Nothing is known about this task from this answer: keep what we have and ask again. */
  | { readonly id: string; readonly state: "unanswered"; readonly error: ProviderError };

/** What became of asking a provider to stop a task. */
export type CancelOutcome =
  /** It will not deliver any more. Whether it was billed is the provider's rule. */
  | { readonly outcome: "cancelled" }
  /** The provider does not know the task (any more). */
  | { readonly outcome: "missing"; readonly error: ProviderError }
  /** Nothing is known: it may still be made. */
  | { readonly outcome: "unknown"; readonly error: ProviderError };

/** What a call that may take several requests is bound by. */
export interface CallOptions {
  /**
   * Whether a request that begins now ends while what it is about is still ours. It is taken to last
   * as long as the longest of any provider, or so many milliseconds. Asked before each request: what
   * there is no time for is not sent, and answered by `notSent` or `notAsked` (time_left.ts).
   */
  readonly hasTime: (requestMs?: number) => boolean;
}

/** A video provider. Calls never throw for what the wire does; every task gets its outcome. */
export interface VideoProvider {
  readonly name: string;
  /** True where the task id is ours, so that submitting the same task again never buys it twice. */
  readonly choosesTaskId: boolean;
  /** True where it rings at `webhookUrl` when a task ends, so that it need not be asked before that. */
  readonly callsBack: boolean;
  /** Most tasks one submit call takes. */
  readonly submitBatch: number;
  /** Most tasks one poll call takes. */
  readonly pollBatch: number;
  /** Hosts that finished files are fetched from; nothing else is ever fetched. */
  readonly mediaHosts: readonly string[];
  /** Without options there is all the time in the world. */
  submit(tasks: readonly VideoTask[], options?: CallOptions): Promise<SubmitOutcome[]>;
  /** `ids` are provider task ids. Without options there is all the time in the world. */
  poll(ids: readonly string[], options?: CallOptions): Promise<TaskState[]>;
  /** Where the tasks stand that a webhook's body speaks of; none for junk. Makes no call. */
  parseEvent(body: unknown): TaskState[];
  /** Stops one task, by the provider's id. Absent where a provider has no way to. */
  cancel?(id: string): Promise<CancelOutcome>;
  /** What is left on our account, in USD. Throws when the provider does not answer. */
  balanceUsd(): Promise<number>;
}
