/** From KIE's answers to the outcomes of the port. */
import { unreadable } from "../answer_text.ts";
import type { ProviderError, SubmitOutcome, TaskState } from "../provider.ts";
import { creditsToUsd, type Result } from "./client.ts";
import { errorOf, failureOf, isTurnedAway } from "./codes.ts";
import { readRecord, type TaskRecord } from "./schemas.ts";

/** Codes with which a record is told to be absent: "recordInfo is null" comes as either. */
const absent = new Set([404, 422]);
/** Codes that are the end of the task itself, told in place of its record. */
const ended = new Set([408, 501]);

/** What became of a task that was handed over, by the answer to its create. */
export function submitOutcome(id: string, result: Result): SubmitOutcome {
  // Whatever status or code it comes under: there is a task, and its record will tell what becomes of
  // it. Taken for a refusal, it would be bought a second time.
  const taskId = readRecord("answer" in result ? result.answer.data : result.data)?.taskId;
  if (taskId !== undefined) return { id, outcome: "accepted", providerTaskId: taskId };
  if ("error" in result) {
    const { error } = result;
    return { id, outcome: isTurnedAwayAtTheDoor(error) ? "refused" : "unknown", error };
  }
  const { answer } = result;
  if (answer.code === 200) {
    const error = unreadable("KIE took a task and named none", answer.raw);
    return { id, outcome: "unknown", error };
  }
  const error = errorOf(answer);
  if (!isTurnedAway(answer.code)) return { id, outcome: "unknown", error };
  // There is no task yet that could be unknown: it is the model.
  const kind = error.kind === "not_found" ? "model_off" : error.kind;
  return { id, outcome: "refused", error: { ...error, kind } };
}

/** A status without a code of KIE's that still says: not with this key, not at this pace. */
function isTurnedAwayAtTheDoor({ kind }: ProviderError): boolean {
  return kind === "auth" || kind === "rate";
}

/** Where a task stands, by the answer to recordInfo. */
export function polledState(id: string, result: Result): TaskState {
  if ("error" in result) return { id, state: "unanswered", error: result.error };
  const { answer } = result;
  if (absent.has(answer.code)) {
    return { id, state: "missing", error: { ...errorOf(answer), kind: "not_found" } };
  }
  if (ended.has(answer.code)) return { id, state: "failed", error: errorOf(answer) };
  if (answer.code !== 200) return { id, state: "unanswered", error: errorOf(answer) };
  const record = readRecord(answer.data);
  if (record === undefined || (record.taskId !== undefined && record.taskId !== id)) {
    const error = unreadable("KIE's answer does not speak of this task", answer.raw);
    return { id, state: "unanswered", error };
  }
  return recordedState(id, record, answer.raw);
}

/** Where a task stands, by its record. */
export function recordedState(id: string, record: TaskRecord, raw: unknown): TaskState {
  switch (record.stage) {
    case "running": {
      const { progress = 0 } = record;
      const isTold = progress > 0 && progress < 100;
      return { id, state: "processing", ...(isTold ? { progress } : {}) };
    }
    case "fail": {
      const { failCode: code, failMessage: message } = record;
      return { id, state: "failed", error: failureOf({ code, message, raw }), ...billed(record) };
    }
    case "success": {
      if (record.videoUrl === undefined) {
        const error = unreadable("KIE finished a task and gave no link", raw);
        return { id, state: "unanswered", error };
      }
      return { id, state: "succeeded", videoUrl: record.videoUrl, ...billed(record) };
    }
    case undefined:
      return { id, state: "unanswered", error: unreadable("KIE's record has no state", raw) };
  }
}

/** The record of a task tells what it consumed, however it ended. */
function billed({ credits }: TaskRecord): { costUsd?: number } {
  return credits === undefined ? {} : { costUsd: creditsToUsd(credits) };
}
