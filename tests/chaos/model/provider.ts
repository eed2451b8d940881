/** A provider in memory that lets us choose the ids of tasks, and remembers every one it was ever given. */
import type {
  ErrorKind,
  ProviderError,
  SubmitOutcome,
  TaskState,
} from "../../../shared/providers/provider.ts";

/** What becomes of a task that is handed over. */
export const FATES = [
  "taken",
  "ack lost",
  "request lost",
  "too fast",
  "out of order",
  "engine failed",
  "invalid",
] as const;
/** What becomes of a task that is handed over. */
export type Fate = typeof FATES[number];

/** What a worker hears when it asks about a task. */
export const WORDS = ["truth", "old truth", "silence"] as const;
/** What a worker hears when it asks about a task. */
export type Word = typeof WORDS[number];

/** How a task ends. */
export const ENDINGS = ["succeeded", "engine failed", "unsafe"] as const;
/** How a task ends. */
export type Ending = typeof ENDINGS[number];

/** The provider and its own record. */
export interface Provider {
  /** Tasks it was paid for, with how they ended, in the order in which they were bought. */
  readonly bought: ReadonlyMap<string, Ending | null>;
  handOver(id: string, fate: Fate): SubmitOutcome;
  stateOf(id: string): TaskState;
  end(id: string, ending: Ending): void;
}

const ERRORS: Record<Exclude<Fate, "taken">, { kind: ErrorKind; retryAfterSeconds: number }> = {
  "ack lost": { kind: "server", retryAfterSeconds: 20 },
  "request lost": { kind: "server", retryAfterSeconds: 20 },
  "too fast": { kind: "rate", retryAfterSeconds: 30 },
  "out of order": { kind: "server", retryAfterSeconds: 20 },
  "engine failed": { kind: "provider", retryAfterSeconds: 20 },
  invalid: { kind: "validation", retryAfterSeconds: 20 },
};

/** Opens a provider that has heard nothing yet. Files are served from `mediaUrl`. */
export function openProvider(mediaUrl: string): Provider {
  const bought = new Map<string, Ending | null>();
  return {
    bought,
    handOver(id, fate) {
      const isTaken = fate === "taken" || fate === "ack lost";
      if (isTaken && !bought.has(id)) bought.set(id, null);
      // Whoever is in trouble itself does not look at ids; everybody else knows this one.
      const isRefusal = fate === "engine failed" || fate === "invalid";
      if (fate === "taken" || (isRefusal && bought.has(id))) {
        return { id, outcome: "accepted", providerTaskId: id };
      }
      const isUnknown = fate === "ack lost" || fate === "request lost";
      return { id, outcome: isUnknown ? "unknown" : "refused", error: errorOf(fate) };
    },
    stateOf(id) {
      const ending = bought.get(id);
      if (ending === undefined) {
        return { id, state: "missing", error: problem("not_found", "No such task") };
      }
      switch (ending) {
        case null:
          return { id, state: "processing" };
        case "succeeded":
          return { id, state: "succeeded", videoUrl: `${mediaUrl}/${id}.mp4`, costUsd: 0.3 };
        case "engine failed":
          return { id, state: "failed", error: errorOf("engine failed") };
        case "unsafe":
          return { id, state: "failed", error: problem("safety", "Refused") };
      }
    },
    end(id, ending) {
      if (bought.get(id) === null) bought.set(id, ending);
    },
  };
}

function errorOf(fate: Exclude<Fate, "taken">): ProviderError {
  const { kind, retryAfterSeconds } = ERRORS[fate];
  return { ...problem(kind, fate), retryAfterSeconds };
}

function problem(kind: ErrorKind, message: string): ProviderError {
  return { kind, code: kind, message, raw: null };
}
