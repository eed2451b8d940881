/** Each way KIE's sandbox can misbehave, alone, and what it may cost; and how its mixtures are mixed. */
import type { KieKnobChanges } from "../../../local/sandbox/kie.ts";
import type { Recipe } from "./mix.ts";
import {
  failing,
  fetchedAgain,
  free,
  lost,
  pausedFor,
  retried,
  type SingleFault,
} from "./single_fault.ts";

const onSubmit = (next: number) => ({ next, on: "submit" }) as const;

/** By name. */
export const KIE_FAULTS: Readonly<Record<string, SingleFault>> = {
  "no fault": free({}, ({ unknown }) => unknown === 0),
  "creates dropped": lost({ droppedRequest: onSubmit(3) }, "not bought"),
  "key refused": pausedFor({ unauthorized: onSubmit(12) }, "401"),
  "account empty": pausedFor({ insufficientCredits: onSubmit(12) }, "402"),
  "the key's own cap": pausedFor({ keyCap: onSubmit(12) }, "433"),
  "rate limit": pausedFor({ rateLimit: onSubmit(12) }, "429"),
  "rate limit with true statuses and Retry-After": pausedFor(
    { rateLimit: onSubmit(12), trueHttpCodes: true, retryAfterSeconds: 90 },
    "429",
  ),
  "maintenance": pausedFor({ maintenance: onSubmit(12) }, "455"),
  "server errors": lost({ serverError: onSubmit(12) }, "not bought"),
  "answers lost": lost({ lostAck: { next: 12 } }, "bought"),
  "answers that never come": lost({ hungAck: { next: 2 } }, "bought"),
  "errors though taken": lost({ lateServerError: { next: 3 } }, "bought"),
  "empty answers": lost({ emptyAck: { next: 3 } }, "bought"),
  "answers that are no JSON": lost({ badJson: { next: 3 } }, "bought"),
  "polls that fail": free({
    serverError: { probability: 0.4, on: "poll" },
    badJson: { probability: 0.3, on: "poll" },
    droppedRequest: { probability: 0.2, on: "poll" },
  }),
  "tasks refused": failing({ refuseTasks: 0.4 }),
  "records hidden for half a minute": free({ hiddenMs: 30_000 }),
  "renders that fail": retried({ failTasks: 0.4 }),
  "renders that fail, told by a code": retried({ failTasks: 0.4, failureForm: "code" }),
  "content refused late": failing({
    ...{ failTasks: 0.4, failCode: "400", failMessage: "The content was flagged" },
  }),
  "renders forever": retried({ stuckTasks: 0.4 }),
  // Paid for, so not bought again.
  "forgotten at once": failing({ forgetAfterMs: 0, callbackLost: 0.5 }),
  "links in a string only": free({ resultForm: "resultJson" }),
  "links parsed only": free({ resultForm: "response" }),
  "callbacks lost": free({ callbackLost: 1 }, ({ counts }) => counts.webhooksSent === 0),
  "callbacks doubled": free(
    { callbackDoubled: 1 },
    ({ counts, bought }) => counts.webhooksDelivered === 2 * bought,
  ),
  "callbacks forged": free(
    { callbackForged: 1 },
    ({ counts, bought }) => counts.webhooksDelivered === 2 * bought,
  ),
  "callbacks before the answer": free({ callbackBeforeAck: 0.5, hiddenMs: 0 }),
  "callbacks in the older form": free({ callbackForm: "veo" }),
  // All end seven seconds before somebody looks, as looks are ten apart: none is fetched in time.
  "links of five seconds": {
    knobs: { urlTtlMs: 5_000, renderMs: 13_000 },
    costs: "videos",
    struck: fetchedAgain,
  },
  "files missing": { knobs: { mediaMissing: 0.5 }, costs: "videos", struck: fetchedAgain },
  "files cut half-way": { knobs: { mediaCut: 0.5 }, costs: "videos", struck: fetchedAgain },
};

/** How its mixtures are mixed. */
export const KIE_RECIPE: Recipe<KieKnobChanges> = {
  probable: {
    droppedRequest: 0.1,
    rateLimit: 0.15,
    maintenance: 0.1,
    serverError: 0.1,
    lostAck: 0.1,
    lateServerError: 0.1,
    emptyAck: 0.1,
    badJson: 0.1,
    refuseTasks: 0.1,
    failTasks: 0.4,
    stuckTasks: 0.1,
    callbackLost: 0.6,
    callbackDoubled: 0.5,
    callbackForged: 0.5,
    callbackBeforeAck: 0.5,
    mediaMissing: 0.4,
    mediaCut: 0.4,
  },
  counted: { unauthorized: 6, insufficientCredits: 6, keyCap: 3, hungAck: 2 },
  choices: {
    trueHttpCodes: [false, true],
    retryAfterSeconds: [null, 1, 45],
    hiddenMs: [1_000, 0, 30_000],
    resultForm: ["both", "resultJson", "response"],
    failureForm: ["record", "code"],
    callbackForm: ["market", "veo"],
    forgetAfterMs: [null, null, null, 60_000],
    urlTtlMs: [86_400_000, 600_000, 60_000],
  },
};
