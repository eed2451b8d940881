import type { KieKnobs } from "./knobs.ts";
import { creditsOf, type KieTask } from "./tasks.ts";

/** What an answer or a callback holds. */
export interface KieEnvelope {
  readonly code: number;
  readonly msg: string;
  readonly data?: unknown;
}

const FLAGS = { waiting: 0, queuing: 0, generating: 0, success: 1, fail: 3 } as const;

/** The links of a finished task. */
function results(task: KieTask, mediaUrl: string) {
  return { resultUrls: [`${mediaUrl}/${task.taskId}.mp4`] };
}

/** What record and callback have in common. */
function common(task: KieTask) {
  const { taskId, order, state, failure, createdAt, endedAt } = task;
  return {
    taskId,
    model: order.model,
    state,
    param: order.param,
    failCode: failure?.code ?? "",
    failMsg: failure?.message ?? "",
    costTime: endedAt === null ? 0 : Math.round((endedAt - createdAt) / 1_000),
    createTime: createdAt,
    updateTime: endedAt ?? createdAt,
    completeTime: endedAt ?? 0,
  };
}

/** The answer to recordInfo about a task that can be seen. */
export function recordOf(
  task: KieTask,
  { resultForm, failureForm }: KieKnobs,
  mediaUrl: string,
): KieEnvelope {
  if (task.state === "fail" && failureForm === "code") {
    return { code: 501, msg: task.failure?.message ?? "Generation failed", data: null };
  }
  const made = task.state === "success" ? results(task, mediaUrl) : undefined;
  return {
    code: 200,
    msg: "success",
    data: {
      ...common(task),
      // JSON in a string, and on newer records its parsed copy.
      resultJson: made && resultForm !== "response" ? JSON.stringify(made) : "",
      ...(made && resultForm !== "resultJson" ? { response: made } : {}),
      successFlag: FLAGS[task.state],
      creditsConsumed: creditsOf(task),
      progress: 0,
    },
  };
}

/** What is posted when a task has ended. */
export function callbackOf(
  task: KieTask,
  { callbackForm }: KieKnobs,
  { mediaUrl, remainedCredits }: { mediaUrl: string; remainedCredits: number },
): KieEnvelope {
  const { taskId, failure } = task;
  const made = results(task, mediaUrl);
  if (callbackForm === "veo") {
    return failure === null
      ? {
        code: 200,
        msg: "Veo3.1 video generated successfully.",
        data: {
          taskId,
          info: { ...made, originUrls: [`${mediaUrl}/origin.mp4`], resolution: "1080p" },
          fallbackFlag: false,
        },
      }
      : { code: Number(failure.code), msg: failure.message, data: { taskId, fallbackFlag: false } };
  }
  const data = { ...common(task), consumeCredits: creditsOf(task), remainedCredits };
  return failure === null
    ? {
      code: 200,
      msg: "Playground task completed successfully.",
      data: { ...data, resultJson: JSON.stringify(made) },
    }
    : { code: 501, msg: "Playground task failed.", data };
}
