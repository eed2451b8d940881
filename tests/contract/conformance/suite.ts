/**
 * What every video provider must be able to show, whatever its API looks like. A provider joins with a
 * `Subject` (its adapter, a sandbox, and levers that make the sandbox misbehave); the cases are the
 * same for all. docs/providers.md tells how to write one.
 */
import type { ModelSpec } from "../../../shared/domain/models.ts";
import type { ErrorKind, VideoProvider, VideoTask } from "../../../shared/providers/provider.ts";

/** What a whole call may meet. The first four turn it away at the door, the others come too late. */
export type CallTrouble =
  | "auth" // our key is refused
  | "balance" // our account is empty
  | "rate" // too many calls
  | "server" // the API is in trouble and bought nothing, but cannot be trusted to have said so
  | "lost_ack" // the task was bought, and the connection is closed without an answer
  | "hung_ack" // the task was bought, and no answer ever comes
  | "late_server" // the task was bought, and the answer is a status 500 or its like
  | "unreadable"; // the task was bought, and the answer is a page of HTML

/** How a render may fail, in the words of the port. */
export type RenderTrouble = Extract<ErrorKind, "provider" | "timeout" | "safety" | "validation">;

/** How a task may be refused when it is handed over, in the words of the port. */
export type InputTrouble = Extract<ErrorKind, "validation" | "safety">;

/** What some providers do not have. A subject names it, with the reason; the case then says "–". */
export type Ability =
  | `call: ${CallTrouble}`
  | `render: ${RenderTrouble}`
  | `input: ${InputTrouble}`
  | "progress"
  | "callbacks"
  | "cancel"
  | "retry-after"
  | "fresh urls";

/** What an API does not have, and why. */
export type Lacks = Readonly<Partial<Record<Ability, string>>>;

/** Makes a sandbox do what the case needs. Task ids are the provider's own. */
export interface Levers {
  /** The next call that hands over (or asks about) tasks meets this trouble, and only that call. */
  trouble(kind: CallTrouble, on: "submit" | "poll"): void;
  /** A 429 that asks for so many seconds, on the next call that hands over tasks. */
  rateLimit(retryAfterSeconds: number): void;
  /** A task that is refused for this reason when it is handed over. */
  badTask(kind: InputTrouble): VideoTask;
  /** Lets the task be half done. */
  advance(taskId: string): void;
  /** Ends the task well. */
  finish(taskId: string): void;
  /** Ends the task badly. */
  fail(taskId: string, kind: RenderTrouble): void;
  /** Ends the life of the result URLs that were handed out so far. */
  expire(taskId: string): void;
  /** An id of the right form that the provider never gave out. */
  unknownTask(): string;
  /** Makes the provider call back twice about an ended task. Answers both bodies as received. */
  callBackTwice(taskId: string): Promise<unknown[]>;
  /** Tasks the sandbox has taken, which is to say bought, so far. */
  bought(): number;
  /** HTTP calls that reached the sandbox so far. */
  calls(): number;
}

/** One provider in front of a sandbox of its own. */
export interface Bench {
  readonly provider: VideoProvider;
  /** The same provider with a wrong key. */
  readonly intruder: VideoProvider;
  /** The same provider, which waits for an answer for a moment only. */
  readonly hasty: VideoProvider;
  /** The key of `provider`, which no outcome may ever hold. */
  readonly apiKey: string;
  readonly models: readonly ModelSpec[];
  readonly lacks: Lacks;
  readonly levers: Levers;
  /** A task that the provider takes, under an id of its own. */
  task(): VideoTask;
  close(): Promise<void>;
}

/** A provider under test. */
export interface Subject {
  readonly name: string;
  readonly lacks: Lacks;
  /** Starts a sandbox whose tasks end only when told to, and the adapter in front of it. */
  start(): Promise<Omit<Bench, "lacks">>;
}

/** What every provider must do. `needs` is what an API must have for the case to make sense. */
export interface Case {
  readonly name: string;
  readonly needs?: Ability;
  run(bench: Bench): Promise<void>;
}
