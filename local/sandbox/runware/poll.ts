import type { Envelope, JsonObject } from "./errors.ts";
import { refuse } from "./fields.ts";
import type { Parts } from "./parts.ts";

/** `getResponse`: where one task stands. */
export function pollTask({ tasks, answers, knobs, counts, random }: Parts, id: string): Envelope {
  counts.getResponses++;
  if (knobs.draw("unansweredPolls", random)) return {};
  if (knobs.draw("strayNotFound", random)) return answers.notFound(id);
  const task = tasks.get(id);
  if (!task || answers.isForgotten(task)) return answers.unknown(id);
  return answers.state(task);
}

/**
 * `getTaskDetails`: the request of any earlier task and what was said about it last.
 *
 * @throws {TaskRefusal} `taskNotFound` for an id that was never accepted.
 */
export function taskDetails({ tasks }: Parts, taskUUID: string): JsonObject {
  const task = tasks.get(taskUUID);
  if (!task) refuse("taskNotFound", `There is no task '${taskUUID}'.`);
  return {
    taskType: "getTaskDetails",
    taskUUID,
    request: [task.request],
    response: task.lastAnswer,
  };
}
