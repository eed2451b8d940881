import { type ApiError, DOCUMENTATION, type Envelope, type JsonObject } from "./errors.ts";
import { refuse } from "./fields.ts";
import type { Parts } from "./parts.ts";
import { type Random, seededRandom } from "../random.ts";
import type { Failure, Fate, RenderTask } from "./task.ts";
import { type Order, readOrder } from "./validate.ts";

/**
 * Takes a `videoInference` task.
 *
 * @throws {TaskRefusal} when the task is not accepted: nothing was bought.
 */
export async function submitVideo(
  parts: Parts,
  task: JsonObject,
  taskUUID: string,
): Promise<Envelope> {
  const { counts, knobs, tasks, clock, webhooks } = parts;
  counts.tasksSubmitted++;
  const known = tasks.get(taskUUID);
  if (known) return repeat(parts, known);
  const order = readOrder(task);
  const random = seededRandom(`${parts.seed}/tasks/${taskUUID}`);
  refuseByKnob(parts, order, random);
  const { renderMs, renderSpread, manual } = knobs.values;
  const accepted = tasks.add({
    taskUUID,
    request: task,
    order,
    renderMs: Math.round(renderMs * (1 + renderSpread * (2 * random() - 1))),
    fate: drawFate(parts, random),
    manual,
  });
  counts.tasksAccepted++;
  if (knobs.draw("webhookForged", random)) {
    clock.after(accepted.renderMs / 2, () => webhooks.forge(accepted));
  }
  if (knobs.draw("webhookBeforeAck", random)) {
    tasks.finish(accepted);
    await webhooks.firstTry(accepted);
  }
  parts.watchers.changed();
  return { data: [{ taskType: "videoInference", taskUUID }] };
}

/**
 * An id is good for one task, forever. The rejection also takes the place of the task's real
 * answer in `getTaskDetails`, as the real API was seen to do.
 */
function repeat(parts: Parts, known: RenderTask): Envelope {
  const { taskUUID } = known;
  known.submissions++;
  parts.counts.conflicts++;
  const error: ApiError = {
    code: "conflictTaskUUID",
    message: `A task with the taskUUID '${taskUUID}' was already submitted.`,
    parameter: "taskUUID",
    type: "string",
    documentation: DOCUMENTATION,
    taskType: "videoInference",
    taskUUID,
    context: { taskType: "videoInference", taskUUID, deliveryMethod: "async" },
  };
  known.lastAnswer = { errors: [error] };
  parts.watchers.changed();
  return known.lastAnswer;
}

function refuseByKnob({ knobs, account }: Parts, order: Order, random: Random): void {
  if (knobs.draw("safetyRefusal", random)) {
    refuse("contentPolicyViolation", "The prompt was refused by the content policy.", {
      parameter: "positivePrompt",
    });
  }
  if (knobs.draw("refuseTasks", random)) {
    refuse(knobs.values.refuseCode, "The task was refused, as the sandbox was asked to.");
  }
  if (!account.canPay(order.usd * order.numberResults)) {
    refuse("insufficientCredits", `The account has ${account.balanceUsd} USD left.`);
  }
}

function drawFate({ knobs }: Parts, random: Random): Fate {
  if (knobs.draw("stuckTasks", random)) return { kind: "stuck" };
  if (knobs.draw("lateSafetyRefusal", random)) return { kind: "failure", error: UNSAFE };
  if (knobs.draw("flaggedContent", random)) return { kind: "success", isFlagged: true };
  if (!knobs.draw("failTasks", random)) return { kind: "success" };
  const { failCode, failMessage } = knobs.values;
  return { kind: "failure", error: { code: failCode, message: failMessage } };
}

const UNSAFE: Failure = {
  code: "invalidProviderContent",
  message: "The provider refused the content.",
  responseContent: "The generated video was blocked by the safety system.",
};
