/** Each way Runware's sandbox can misbehave, alone, and what it may cost. */
import type { KnobChanges } from "../../../local/sandbox/runware.ts";
import {
  failing,
  fetchedAgain,
  free,
  pausedFor,
  retried,
  type SingleFault,
} from "./single_fault.ts";

/** Handed over again, and recognised. */
const doubted = (knobs: KnobChanges) => free(knobs, ({ counts }) => counts.conflicts > 0);

/** By name. What happens to single requests is counted, so that it happens for certain. */
export const RUNWARE_FAULTS: Readonly<Record<string, SingleFault>> = {
  "no fault": free({}, ({ counts }) => counts.conflicts === 0),
  "requests dropped": pausedFor({ droppedRequest: { next: 3 } }, "network"),
  "key refused": pausedFor({ invalidApiKey: { next: 5 } }, "invalidApiKey"),
  "account empty": pausedFor({ insufficientCredits: { next: 5 } }, "insufficientCredits"),
  "rate limit": pausedFor({ rateLimit: { next: 3 } }, "rateLimitExceeded"),
  "rate limit with Retry-After": pausedFor(
    { rateLimit: { next: 3 }, retryAfterSeconds: 90 },
    "rateLimitExceeded",
  ),
  "server errors": pausedFor({ serverError: { next: 3 } }, "internalServerError"),
  "no server": pausedFor({ noServer: { next: 3 } }, "noAvailableServer"),
  "answers lost": doubted({ lostAck: { next: 3 } }),
  "answers that never come": doubted({ hungAck: { next: 2 } }),
  "errors though taken": doubted({ lateServerError: { next: 3 } }),
  // Nothing said against them: taken, until a poll says otherwise. Nothing is handed over again, so
  // there are as many POSTs as rounds found something new, which is two for certain.
  "empty answers": free({ emptyAck: { next: 2 } }, ({ counts }) => counts.conflicts === 0),
  "answers that are no JSON": doubted({ badJson: { next: 3 } }),
  "polls that fail": free({
    serverError: { probability: 0.5, on: "poll" },
    badJson: { probability: 0.3, on: "poll" },
  }),
  "tasks refused for a while": free({ refuseTasks: { next: 30 } }, ({ pauses }) => pauses.size > 0),
  // What the sandbox refuses once it refuses each time, so these wait until nobody may wait longer.
  "tasks put off forever": failing({ refuseTasks: 0.4 }),
  "tasks refused": {
    knobs: { refuseTasks: 0.4, refuseCode: "providerError" },
    costs: "videos",
    struck: (outcome) => outcome.attempts > outcome.completed,
  },
  "content refused": failing({ safetyRefusal: 0.4 }),
  "renders that fail": retried({ failTasks: 0.4 }),
  "content refused late": failing({ lateSafetyRefusal: 0.4 }),
  "content flagged when it is made": failing({ flaggedContent: 0.4 }),
  "renders forever": retried({ stuckTasks: 0.4 }),
  "polls without an answer": free({ unansweredPolls: 0.6 }),
  "polls that find nothing once": free({ strayNotFound: { next: 12 } }),
  "forgotten at once": retried({
    forgetAfterMs: 0,
    unknownId: "taskNotFound",
    webhookLost: 0.5,
  }),
  "forgotten at once, said in silence": retried({
    forgetAfterMs: 0,
    unknownId: "empty",
    webhookLost: 0.5,
  }),
  "forgotten at once, taken for working": retried({
    forgetAfterMs: 0,
    unknownId: "processing",
    webhookLost: 0.5,
  }),
  "failures told with 400": retried({ failTasks: 0.4, failedPollStatus: 400 }),
  "failures told as items": retried({ failTasks: 0.4, failureForm: "item" }),
  "failures told flat": retried({ failTasks: 0.4, failureForm: "flatItem" }),
  "receipts without status": free({ receiptForm: "noStatus" }),
  "receipts with mediaURL": free({ receiptForm: "media" }),
  "work told as getResponse": free({ processingForm: "getResponse", sendProgress: false }),
  "answers in any order": free({ shuffledReplies: true }),
  "webhooks lost": free({ webhookLost: 1 }, ({ counts }) => counts.webhooksSent === 0),
  "webhooks late": free({ webhookLate: 1, webhookLateMs: 120_000 }),
  "webhooks doubled": free(
    { webhookDoubled: 1 },
    ({ counts, bought }) => counts.webhooksDelivered === 2 * bought,
  ),
  "webhooks out of order": free({ webhookReordered: 0.5, webhookLateMs: 30_000 }),
  "webhooks forged": free(
    { webhookForged: 1 },
    ({ counts, bought }) => counts.webhooksDelivered === 2 * bought,
  ),
  "webhooks before the answer": free({ webhookBeforeAck: 0.5 }),
  "webhooks flat": free({ webhookForm: "flat" }),
  "webhooks with both keys": free({ webhookForm: "mixed" }),
  "links of five seconds": {
    knobs: { urlTtlMs: 5_000, expiredStatus: 410 },
    costs: "videos",
    struck: fetchedAgain,
  },
  "files missing": { knobs: { mediaMissing: 0.5 }, costs: "videos", struck: fetchedAgain },
  "files that are pages": {
    knobs: { mediaWrongContent: 0.5 },
    costs: "videos",
    struck: fetchedAgain,
  },
  "files cut half-way": { knobs: { mediaCut: 0.5 }, costs: "videos", struck: fetchedAgain },
};
