/** What an adapter answers about tasks that it had no time for. */
import type { CallOptions, ProviderError, SubmitOutcome, TaskState } from "./provider.ts";

/** For whoever holds nothing that may be taken over meanwhile. */
export const UNHURRIED: CallOptions = { hasTime: () => true };

/** Nothing was sent: whoever comes in time is to do it. */
const LEASE_OVER: ProviderError = {
  kind: "server",
  code: "lease_over",
  message: "The worker had no time left to send this",
  raw: null,
};

/** The outcome of a task that was not handed over. It goes back to the queue as good as new. */
export function notSent(id: string): SubmitOutcome {
  return { id, outcome: "refused", error: LEASE_OVER };
}

/** The state of a task that was not asked about: whoever asks in time may hear more. */
export function notAsked(id: string): TaskState {
  return { id, state: "unanswered", error: LEASE_OVER };
}

/** True of what `notAsked` answers. */
export function wasNotAsked(state: TaskState): boolean {
  return state.state === "unanswered" && state.error.code === LEASE_OVER.code;
}
