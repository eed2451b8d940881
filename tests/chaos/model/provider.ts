/** A provider in memory, which knows tasks by our ids or by its own, and remembers every one it ever sold. */
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
export const WORDS = ["truth", "old truth", "silence", "forgotten"] as const;
/** What a worker hears when it asks about a task. */
export type Word = typeof WORDS[number];

/** How a task ends. */
export const ENDINGS = ["succeeded", "engine failed", "unsafe"] as const;
/** How a task ends. */
export type Ending = typeof ENDINGS[number];

/** A task that was sold. */
export interface Task {
  /** The attempt's, where the provider lets us choose. */
  readonly id: string;
  /** The attempt that it was handed over for, and the round of the worker that did so. */
  readonly attempt: string;
  readonly node: string;
  ending: Ending | null;
}

/** The provider and its own record. */
export interface Provider {
  /** In the order in which they were sold. */
  readonly tasks: readonly Task[];
  handOver(attempt: string, node: string, fate: Fate): SubmitOutcome;
  /** Where a task stands, by its own record. */
  stateOf(id: string): TaskState;
  /** What it says of a task that it does not know, or not any more. */
  missing(id: string): TaskState;
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

/** The provider's code for a task that it does not know. */
export const NOT_FOUND = "not_found";

/** Opens a provider that has heard nothing yet. Files are served from `mediaUrl`. */
export function openProvider(
  { mediaUrl, choosesTaskId }: { readonly mediaUrl: string; readonly choosesTaskId: boolean },
): Provider {
  const tasks: Task[] = [];
  const find = (id: string) => tasks.find((task) => task.id === id);
  const missing = (id: string): TaskState => ({
    id,
    state: "missing",
    error: problem("not_found", NOT_FOUND),
  });
  return {
    tasks,
    missing,
    handOver(attempt, node, fate) {
      let task = choosesTaskId ? find(attempt) : undefined;
      // Whoever is in trouble itself does not look at ids; everybody else knows this one.
      const isRefusal = fate === "engine failed" || fate === "invalid";
      const isKnown = task !== undefined;
      if (fate === "taken" || fate === "ack lost") {
        const id = choosesTaskId ? attempt : `task ${tasks.length + 1} for ${attempt}`;
        task ??= { id, attempt, node, ending: null };
        if (!isKnown) tasks.push(task);
      }
      if (task !== undefined && (fate === "taken" || (isRefusal && isKnown))) {
        return { id: attempt, outcome: "accepted", providerTaskId: task.id };
      }
      const isUnknown = fate === "ack lost" || fate === "request lost";
      return {
        id: attempt,
        outcome: isUnknown ? "unknown" : "refused",
        error: errorOf(fate === "taken" ? "ack lost" : fate),
      };
    },
    stateOf(id) {
      const task = find(id);
      switch (task?.ending) {
        case undefined:
          return missing(id);
        case null:
          return { id, state: "processing" };
        case "succeeded":
          return { id, state: "succeeded", videoUrl: `${mediaUrl}/${encodeURIComponent(id)}.mp4` };
        case "engine failed":
          return { id, state: "failed", error: errorOf("engine failed") };
        case "unsafe":
          return { id, state: "failed", error: problem("safety", "Refused") };
      }
    },
    end(id, ending) {
      const task = find(id);
      if (task?.ending === null) task.ending = ending;
    },
  };
}

function errorOf(fate: Exclude<Fate, "taken">): ProviderError {
  const { kind, retryAfterSeconds } = ERRORS[fate];
  return { ...problem(kind, fate), retryAfterSeconds };
}

/** An error whose code tells the kind. */
export function problem(kind: ErrorKind, message: string): ProviderError {
  return { kind, code: kind, message, raw: null };
}
