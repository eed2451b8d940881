/**
 * Every form in which Runware answers, read into two lists: what it says about tasks, and errors.
 *
 * An answer has `data`, `errors`, both or neither key filled; a failure before the work starts is one
 * bare `error`; a webhook may also be the item itself. Nothing here throws and nothing is trusted: a
 * field of an unexpected type counts as absent, an item without a task id as untargeted.
 * Forms: runware.ai/docs/platform/{task-polling,errors,webhooks,streaming} and what public clients met.
 */
import { z } from "zod";
import { amount, link, text } from "../lenient.ts";

/** What `data` says about one task. */
export interface TaskItem {
  /** Lower case, or undefined where the item names no task. */
  readonly taskUUID: string | undefined;
  readonly status: string | undefined;
  /** 0 to 100. */
  readonly progress: number | undefined;
  readonly videoUrl: string | undefined;
  /** USD, for this one result. */
  readonly costUsd: number | undefined;
  /** Runware's check of the finished result, which we ask for, found what is not safe for work. */
  readonly isFlagged: boolean;
  readonly raw: unknown;
}

/** One error, whichever form it came in. */
export interface ErrorItem {
  /** Lower case, or undefined where the error is about the whole call. */
  readonly taskUUID: string | undefined;
  /** Of the request that failed. */
  readonly taskType: string | undefined;
  /** Verbatim; `unreadable` where there is none. */
  readonly code: string;
  readonly message: string;
  readonly parameter: string | undefined;
  readonly allowedValues: readonly unknown[] | undefined;
  /** What the engine behind Runware said, as text. */
  readonly details: string;
  readonly raw: unknown;
}

/** A whole answer. */
export interface Envelope {
  readonly items: readonly TaskItem[];
  readonly errors: readonly ErrorItem[];
}

const taskId = z.string().min(1).transform((id) => id.toLowerCase()).optional().catch(undefined);
const list = z.array(z.unknown()).optional().catch(undefined);
const videoLink = link.optional().catch(undefined);

/** Whatever else it says of unsafe content is taken for a yes: children will watch. */
const unflagged: ReadonlySet<unknown> = new Set([undefined, null, false, 0, "", "0", "false"]);

const record = z.record(z.string(), z.unknown());

const taskSchema = z.object({
  taskUUID: taskId,
  status: text,
  progress: amount.transform((value) => value === undefined ? value : Math.min(value, 100)),
  videoURL: videoLink,
  // Newer task types name the same thing mediaURL.
  mediaURL: videoLink,
  cost: amount,
  // runware.ai/docs/models-api/content-safety
  NSFWContent: z.unknown().optional(),
});

const errorSchema = z.object({
  taskUUID: taskId,
  taskType: text,
  code: text,
  // Errors of the HTTP layer in front of the API carry a title instead of a code.
  type: text,
  message: text,
  parameter: z.union([
    z.string().min(1),
    z.array(z.string()).transform((names) => names.join(", ")),
  ])
    .optional().catch(undefined),
  allowedValues: list,
  responseContent: z.unknown().optional(),
  additionalDetails: z.unknown().optional(),
});

/** Reads an answer, or tells that it is none by undefined. */
export function readEnvelope(body: unknown): Envelope | undefined {
  const root = record.safeParse(body);
  if (!root.success) return undefined;
  const { data, errors, error } = root.data;
  if (data === undefined && errors === undefined && error === undefined) return undefined;
  const bare = error === undefined ? [] : [readError({ taskUUID: root.data["taskUUID"], error })];
  const items = asList(data);
  return {
    items: items.filter((item) => !isFailure(item)).map(readTask),
    errors: [...asList(errors).map(readError), ...items.filter(isFailure).map(readError), ...bare],
  };
}

/** Reads a webhook's body: an answer, or one item or error without any wrapping, or both. */
export function readWebhook(body: unknown): Envelope {
  const envelope = readEnvelope(body) ?? { items: [], errors: [] };
  const root = record.safeParse(body);
  if (!root.success) return Array.isArray(body) ? readWebhook({ data: body }) : envelope;
  // Under `error` the root was read already.
  if (root.data["taskUUID"] === undefined || root.data["error"] !== undefined) return envelope;
  return isFailure(root.data)
    ? { ...envelope, errors: [...envelope.errors, readError(root.data)] }
    : { ...envelope, items: [...envelope.items, readTask(root.data)] };
}

function readTask(raw: unknown): TaskItem {
  const item = taskSchema.safeParse(raw).data;
  return {
    taskUUID: item?.taskUUID,
    status: item?.status?.toLowerCase(),
    progress: item?.progress,
    videoUrl: item?.videoURL ?? item?.mediaURL,
    costUsd: item?.cost,
    isFlagged: !unflagged.has(item?.NSFWContent),
    raw,
  };
}

/** Reads `{code, message, …}`, `{error: {code, message}, taskUUID}` and `{error: "words"}`. */
function readError(raw: unknown): ErrorItem {
  const outer = record.safeParse(raw).data ?? {};
  const inner = record.safeParse(outer["error"]).data ?? {};
  const words = [outer["error"], raw].find((value) => typeof value === "string");
  const error = errorSchema.safeParse({ ...outer, ...inner }).data;
  return {
    // An inner task id that is not one must not hide the outer one.
    taskUUID: error?.taskUUID ?? errorSchema.safeParse(outer).data?.taskUUID,
    taskType: error?.taskType,
    code: error?.code ?? "unreadable",
    message: error?.message ?? words ?? error?.type ?? "Runware gave no message",
    parameter: error?.parameter,
    allowedValues: error?.allowedValues,
    details: asText([error?.responseContent, error?.additionalDetails]),
    raw,
  };
}

/** True for an item of `data` that tells of a failure: by status, by an error inside, or by a code. */
function isFailure(item: unknown): boolean {
  const fields = record.safeParse(item).data;
  if (fields === undefined) return false;
  const status = text.parse(fields["status"])?.toLowerCase();
  if (status !== undefined && failedStatuses.has(status)) return true;
  return Boolean(fields["error"]) || typeof fields["code"] === "string";
}

const failedStatuses = new Set(["error", "failed", "failure", "cancelled", "canceled"]);

function asList(value: unknown): unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

/** Characters of it that are looked through; an upstream engine may send a whole page. */
const DETAILS_MAX = 4_000;

function asText(values: readonly unknown[]): string {
  return values
    .filter((value) => value !== undefined && value !== null)
    .map((value) => typeof value === "string" ? value : JSON.stringify(value))
    .join(" ")
    .slice(0, DETAILS_MAX);
}
