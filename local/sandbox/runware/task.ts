import type { ApiError, Envelope, JsonObject } from "./errors.ts";
import type { Order } from "./validate.ts";

/** One video of a task (`numberResults` of them). */
export interface RenderResult {
  readonly videoUUID: string;
  readonly seed: number;
  /** Epoch ms of its end; null while it is being made. */
  finishedAt: number | null;
  /** Set by the control API: the URL is over, whatever its time to live. */
  expired: boolean;
}

/** How a render will end when its time has come. */
export type Fate =
  | { readonly kind: "success"; readonly isFlagged?: true }
  | { readonly kind: "failure"; readonly error: Failure }
  | { readonly kind: "stuck" };

/** Why a render failed. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly responseContent?: string;
}

/** A task that was accepted, which is to say bought. */
export interface RenderTask {
  readonly taskUUID: string;
  readonly request: JsonObject;
  readonly order: Order;
  /** Epoch ms. */
  readonly submittedAt: number;
  readonly renderMs: number;
  readonly fate: Fate;
  readonly results: readonly RenderResult[];
  status: TaskStatus;
  /** Epoch ms; null while it is being rendered. */
  endedAt: number | null;
  error: Failure | null;
  /** How often a task with this id was sent. */
  submissions: number;
  /** What the API said last under this id: all that `getTaskDetails` remembers. */
  lastAnswer: Envelope;
}

export type TaskStatus = "processing" | "success" | "error";

/** How far a task is, 0 to 100: by the clock until it ends, and never 100 before. */
export function progressOf(task: RenderTask, now: number): number {
  if (task.status === "success") return 100;
  const elapsed = (task.endedAt ?? now) - task.submittedAt;
  const part = task.renderMs > 0 ? elapsed / task.renderMs : 1;
  return Math.min(99, Math.max(0, Math.floor(part * 100)));
}

/** What the task's successful results cost so far, in USD. */
export function costOf(task: RenderTask): number {
  const finished = task.results.filter((result) => result.finishedAt !== null).length;
  return Math.round(finished * task.order.usd * 10_000) / 10_000;
}

/** The API's error object for a task that failed. */
export function failureError(task: RenderTask, failure: Failure): ApiError {
  return {
    ...failure,
    status: "error",
    documentation: "https://runware.ai/docs/platform/task-polling",
    taskType: "videoInference",
    taskUUID: task.taskUUID,
  };
}
