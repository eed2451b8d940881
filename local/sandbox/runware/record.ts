import { costOf, progressOf, type RenderTask, type TaskStatus } from "./task.ts";

/** What has happened since the start or the last reset. */
export interface SandboxCounts {
  /** HTTP POSTs to the API, whatever their answer. */
  posts: number;
  /** Those of them that had a `videoInference` task, and those that had a `getResponse` task. */
  submitPosts: number;
  pollPosts: number;
  /** Messages over WebSocket. */
  socketMessages: number;
  /** `videoInference` tasks that were looked at: accepted, refused and repeated ones. */
  tasksSubmitted: number;
  /** Tasks that were bought. */
  tasksAccepted: number;
  /** Tasks whose id had been used. */
  conflicts: number;
  /** `getResponse` tasks. */
  getResponses: number;
  /** Tries to deliver a webhook. */
  webhooksSent: number;
  /** Tries that were answered with 2xx. */
  webhooksDelivered: number;
  /** Tries that were answered with anything else, or not in time. */
  webhooksFailed: number;
  /** Webhooks lost by a knob, or given up after their last try. */
  webhooksDropped: number;
  /** Requests for files. */
  mediaGets: number;
}

/** One task as the control API shows it. Times are epoch milliseconds. */
export interface TaskState {
  readonly taskUUID: string;
  readonly model: string;
  readonly status: TaskStatus;
  /** 0 to 100. */
  readonly progress: number;
  readonly submittedAt: number;
  readonly endedAt: number | null;
  readonly webhookURL: string | null;
  /** USD; null until a video was finished. */
  readonly cost: number | null;
  readonly errorCode: string | null;
  readonly videoURLs: readonly string[];
  /** How often a task with this id was sent. */
  readonly submissions: number;
}

/** Everything the sandbox has to tell. */
export interface SandboxState {
  readonly counts: Readonly<SandboxCounts>;
  /** Webhooks that are being sent, or will be tried again. */
  readonly webhooksPending: number;
  readonly balanceUsd: number;
  readonly tasks: readonly TaskState[];
}

export function emptyCounts(): SandboxCounts {
  return {
    posts: 0,
    submitPosts: 0,
    pollPosts: 0,
    socketMessages: 0,
    tasksSubmitted: 0,
    tasksAccepted: 0,
    conflicts: 0,
    getResponses: 0,
    webhooksSent: 0,
    webhooksDelivered: 0,
    webhooksFailed: 0,
    webhooksDropped: 0,
    mediaGets: 0,
  };
}

/** The task as the control API shows it. */
export function describeTask(
  task: RenderTask,
  { now, videoURLs }: { readonly now: number; readonly videoURLs: readonly string[] },
): TaskState {
  const cost = costOf(task);
  return {
    taskUUID: task.taskUUID,
    model: task.order.model.air,
    status: task.status,
    progress: progressOf(task, now),
    submittedAt: task.submittedAt,
    endedAt: task.endedAt,
    webhookURL: task.order.webhookUrl ?? null,
    cost: cost > 0 ? cost : null,
    errorCode: task.error?.code ?? null,
    videoURLs,
    submissions: task.submissions,
  };
}
