import { z } from "zod";
import { KnobError } from "../knob_error.ts";
import { DEFAULT_KNOBS, type Knobs } from "./knobs.ts";

const probability = z.number().min(0).max(1);
const count = z.number().int().min(0);
const scope = z.enum(["submit", "poll", "any"]).optional();

const fault = z.union([
  probability,
  z.strictObject({ probability }),
  z.strictObject({ next: count }),
]).describe('a probability from 0 to 1, {"probability": 0.5} or {"next": 2}');

const requestFault = z.union([
  probability,
  z.strictObject({ probability, on: scope }),
  z.strictObject({ next: count, on: scope }),
]).describe(
  'a probability from 0 to 1, {"probability": 0.5} or {"next": 2}, with "on": "submit", "poll" or "any"',
);

const ms = count.describe("a whole number of milliseconds, 0 or more");
const msOrNull = count.nullable().describe("a whole number of milliseconds, or null");
const flag = z.boolean().describe("true or false");
const code = z.string().min(1).describe("a text of one character or more");

function choice<const T extends readonly string[]>(...values: T) {
  return z.enum(values).describe(`one of ${values.map((value) => `"${value}"`).join(", ")}`);
}

const schema = z.strictObject({
  renderMs: ms,
  renderSpread: probability.describe("a number from 0 to 1"),
  manual: flag,
  slowReplyMs: ms,
  droppedRequest: requestFault,
  invalidApiKey: requestFault,
  insufficientCredits: requestFault,
  rateLimit: requestFault,
  retryAfterSeconds: count.nullable().describe("a whole number of seconds, or null"),
  serverError: requestFault,
  noServer: requestFault,
  lostAck: requestFault,
  hungAck: requestFault,
  lateServerError: requestFault,
  emptyAck: requestFault,
  badJson: requestFault,
  refuseTasks: fault,
  refuseCode: code,
  safetyRefusal: fault,
  failTasks: fault,
  failCode: code,
  failMessage: code,
  lateSafetyRefusal: fault,
  flaggedContent: fault,
  stuckTasks: fault,
  unknownId: choice("processing", "empty", "taskNotFound"),
  failedPollStatus: z.number().int().min(200).max(599).describe("an HTTP status from 200 to 599"),
  failureForm: choice("errors", "item", "flatItem"),
  processingForm: choice("videoInference", "getResponse"),
  sendProgress: flag,
  receiptForm: choice("full", "noStatus", "media"),
  unansweredPolls: fault,
  strayNotFound: fault,
  shuffledReplies: flag,
  forgetAfterMs: msOrNull,
  webhookLost: fault,
  webhookLate: fault,
  webhookLateMs: ms,
  webhookDoubled: fault,
  webhookReordered: fault,
  webhookForged: fault,
  webhookBeforeAck: fault,
  webhookForm: choice("wrapped", "flat", "mixed"),
  webhookTimeoutMs: ms,
  webhookTries: count.min(1).describe("a whole number, 1 or more"),
  webhookBackoffMs: ms,
  webhookBackoffCapMs: ms,
  urlTtlMs: msOrNull,
  expiredStatus: z.union([z.literal(403), z.literal(404), z.literal(410)]).describe(
    "403, 404 or 410",
  ),
  mediaMissing: fault,
  mediaWrongContent: fault,
  mediaCut: fault,
  mediaBytes: count.max(2 ** 32 - 1).nullable().describe("a number of bytes below 4 GiB, or null"),
  balanceUsd: z.number().describe("a number of US dollars"),
  balanceForm: choice("number", "object"),
  socketIdleMs: ms,
});

/**
 * The knobs after `changes`, which may be anything somebody posted.
 *
 * @throws {KnobError} naming the first field that is unknown or has a wrong value.
 */
export function mergeKnobs(current: Knobs, changes: unknown): Knobs {
  if (typeof changes !== "object" || changes === null || Array.isArray(changes)) {
    throw new KnobError("Knobs must be a JSON object", "", Object.keys(DEFAULT_KNOBS));
  }
  const merged = schema.safeParse({ ...current, ...changes });
  if (merged.success) return merged.data;
  const [issue] = merged.error.issues;
  if (issue?.code === "unrecognized_keys" && issue.path.length === 0) {
    const field = issue.keys[0] ?? "";
    throw new KnobError(`There is no knob "${field}"`, field, Object.keys(DEFAULT_KNOBS));
  }
  const field = String(issue?.path[0] ?? "");
  const value = JSON.stringify(new Map(Object.entries(changes)).get(field));
  const allowed = describeKnob(field);
  throw new KnobError(`Knob "${field}" cannot be ${value}: it must be ${allowed}`, field, [
    allowed,
  ]);
}

function describeKnob(name: string): string {
  return new Map(Object.entries(schema.shape)).get(name)?.description ?? "something else";
}
