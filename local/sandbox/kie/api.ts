import type { IncomingMessage } from "node:http";
import { parseJson } from "../../json.ts";
import { answer, type Reply } from "../reply.ts";
import type { RequestKind } from "../knobs.ts";
import type { EarlyFaultName, LateFaultName } from "./knobs.ts";
import { readOrder } from "./order.ts";
import type { KieParts } from "./parts.ts";
import { type KieEnvelope, recordOf } from "./record.ts";

/** What an operation or a fault comes to: KIE's envelope, or something that is none. */
type Outcome = KieEnvelope | Exclude<Reply, { kind: "answer" }>;

/** Faults that strike before anything is done, in the order they are looked at. */
const EARLY: readonly (readonly [EarlyFaultName, Outcome])[] = [
  ["droppedRequest", { kind: "drop" }],
  ["unauthorized", { code: 401, msg: "You do not have access permissions" }],
  ["insufficientCredits", noCredits()],
  ["rateLimit", tooFast()],
  ["keyCap", { code: 433, msg: "The sub-key usage exceeded its limit" }],
  ["maintenance", { code: 455, msg: "The service is under maintenance" }],
  ["serverError", { code: 500, msg: "Server exception, please try again later" }],
];

/** Faults that strike after the request was carried out. */
const LATE: readonly (readonly [LateFaultName, Outcome])[] = [
  ["lostAck", { kind: "drop" }],
  ["hungAck", { kind: "silence" }],
  ["lateServerError", { code: 500, msg: "Server exception, please try again later" }],
  ["emptyAck", { code: 200, msg: "success", data: null }],
  ["badJson", { kind: "page" }],
];

/** Answers one request to `/api/…`; `body` is its text. */
export async function answerRequest(
  parts: KieParts,
  request: IncomingMessage,
  path: string,
  body: string,
): Promise<Reply> {
  parts.clock.run();
  parts.counts.calls++;
  const operation = operationOf(request, path, body);
  // The one answer that has no envelope and a true status.
  if (operation === undefined) return answer(404, { status: 404, error: "Not Found", path });
  const outcome = isKeyGood(parts, request)
    ? await carryOut(parts, operation)
    : { code: 401, msg: "You do not have access permissions" };
  await parts.delays.wait(parts.knobs.values.slowReplyMs);
  return toReply(parts, outcome);
}

function isKeyGood({ apiKey }: KieParts, { headers }: IncomingMessage): boolean {
  return headers.authorization === `Bearer ${apiKey}`;
}

function toReply({ knobs }: KieParts, outcome: Outcome): Reply {
  if ("kind" in outcome) return outcome;
  const { trueHttpCodes, retryAfterSeconds } = knobs.values;
  const wait = outcome.code === 429 && retryAfterSeconds !== null
    ? { "retry-after": `${retryAfterSeconds}` }
    : undefined;
  return answer(trueHttpCodes ? outcome.code : 200, outcome, wait);
}

interface Operation {
  readonly kind: RequestKind;
  readonly run: (parts: KieParts) => Outcome | Promise<Outcome>;
}

async function carryOut(parts: KieParts, { kind, run }: Operation): Promise<Outcome> {
  const strikes = (name: EarlyFaultName | LateFaultName) =>
    parts.knobs.drawFor(kind, name, parts.random);
  const early = EARLY.find(([name]) => strikes(name));
  if (early !== undefined) return early[1];
  const outcome = await run(parts);
  return LATE.find(([name]) => strikes(name))?.[1] ?? outcome;
}

function operationOf(
  { method, url = "" }: IncomingMessage,
  path: string,
  body: string,
): Operation | undefined {
  switch (`${method} ${path}`) {
    case "POST /api/v1/jobs/createTask":
      return { kind: "submit", run: (parts) => createTask(parts, body) };
    case "GET /api/v1/jobs/recordInfo": {
      const taskId = new URL(url, "http://sandbox").searchParams.get("taskId") ?? "";
      return { kind: "poll", run: (parts) => recordInfo(parts, taskId) };
    }
    case "GET /api/v1/chat/credit":
      return {
        kind: "other",
        run: ({ credits }) => ({ code: 200, msg: "success", data: credits }),
      };
    default:
      return undefined;
  }
}

async function createTask(parts: KieParts, body: string): Promise<Outcome> {
  const { counts, knobs, tasks, random, watchers } = parts;
  counts.creates++;
  if (isTooFast(parts)) {
    counts.tooFast++;
    return tooFast();
  }
  const order = readOrder(parseJson(body));
  if ("code" in order) return { code: order.code, msg: order.message };
  const { refuseWord, refuseCode, refuseMessage } = knobs.values;
  if (refuseWord !== null && order.prompt.includes(refuseWord)) {
    return { code: 400, msg: "Your prompt was flagged as violating content policies" };
  }
  if (knobs.draw("refuseTasks", random)) return { code: refuseCode, msg: refuseMessage };
  if (parts.credits < order.credits) return noCredits();
  counts.accepted++;
  const task = tasks.add(order);
  if (knobs.draw("callbackForged", random)) void parts.forge(task);
  if (knobs.draw("callbackBeforeAck", random)) {
    tasks.finish(task);
    await parts.announced(task);
  }
  watchers.changed();
  return { code: 200, msg: "success", data: { taskId: task.taskId } };
}

/** Whether the account has sent as many creates as it may; one that is refused does not count. */
function isTooFast(parts: KieParts): boolean {
  const { rateMost, rateMs } = parts.knobs.values;
  const now = parts.clock.now();
  parts.creates = parts.creates.filter((at) => at > now - rateMs);
  if (parts.creates.length >= rateMost) return true;
  parts.creates.push(now);
  return false;
}

function recordInfo(parts: KieParts, taskId: string): Outcome {
  const { clock, counts, knobs, mediaUrl, tasks } = parts;
  counts.polls++;
  const { hiddenMs, forgetAfterMs } = knobs.values;
  const task = tasks.get(taskId);
  const isNull = task === undefined || clock.now() < task.createdAt + hiddenMs ||
    (forgetAfterMs !== null && task.endedAt !== null &&
      clock.now() >= task.endedAt + forgetAfterMs);
  if (isNull) return { code: 422, msg: "recordInfo is null", data: null };
  return recordOf(task, knobs.values, mediaUrl);
}

function tooFast(): KieEnvelope {
  return { code: 429, msg: "The call frequency is too high, please try again later" };
}

function noCredits(): KieEnvelope {
  return { code: 402, msg: "Credits insufficient: please top up to continue" };
}
