/**
 * What KIE posts to a callback: the record of a market task, or the older form of Veo. It comes up to
 * several times, and its signature covers the task's id and the time only, so it is a doorbell: whoever
 * is named here is asked about again. Forms: docs.kie.ai/veo3-api/generate-veo-3-video-callbacks.
 */
import type { TaskState } from "../provider.ts";
import { recordedState } from "./answers.ts";
import { readEnvelope, readRecord, type TaskRecord } from "./schemas.ts";

/** Where the task stands that the body speaks of; none for a body that speaks of no task. */
export function parseKieCallback(body: unknown): TaskState[] {
  const envelope = readEnvelope(body);
  const record = readRecord(envelope?.data) ?? readRecord(body);
  const id = record?.taskId ?? readRecord(body)?.taskId;
  if (record === undefined || id === undefined) return [];
  return [recordedState(id, { ...record, ...endOf(record, envelope) }, body)];
}

/** The older form names no state: the code says how it ended, the message why. */
function endOf(
  record: TaskRecord,
  envelope: { code: number; message: string } | undefined,
): Partial<TaskRecord> {
  if (record.stage !== undefined || envelope === undefined) return {};
  if (envelope.code === 200) return { stage: "success" };
  return { stage: "fail", failCode: String(envelope.code), failMessage: envelope.message };
}
