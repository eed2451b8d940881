/** Each way Runway's sandbox can misbehave, alone, and what it may cost; and how its mixtures are mixed. */
import type { RunwayKnobChanges } from "../../../local/sandbox/runway.ts";
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
export const RUNWAY_FAULTS: Readonly<Record<string, SingleFault>> = {
  "no fault": free({}, ({ unknown }) => unknown === 0),
  "creates dropped": lost({ droppedRequest: onSubmit(3) }, "not bought"),
  "key refused": pausedFor({ unauthorized: onSubmit(12) }, "http_401"),
  "account empty": pausedFor({ insufficientCredits: onSubmit(12) }, "insufficient_credits"),
  "rate limit": pausedFor({ rateLimit: onSubmit(12) }, "http_429"),
  "rate limit with Retry-After": pausedFor(
    { rateLimit: onSubmit(12), retryAfterSeconds: 90 },
    "http_429",
  ),
  "server errors": lost({ serverError: onSubmit(12) }, "not bought"),
  "load shed": lost({ badGateway: onSubmit(3) }, "not bought"),
  "answers lost": lost({ lostAck: { next: 12 } }, "bought"),
  "answers that never come": lost({ hungAck: { next: 2 } }, "bought"),
  "errors though taken": lost({ lateServerError: { next: 3 } }, "bought"),
  "answers that are no JSON": lost({ badJson: { next: 3 } }, "bought"),
  "polls that fail": free({
    serverError: { probability: 0.4, on: "poll" },
    strayNotFound: { probability: 0.3, on: "poll" },
    badJson: { probability: 0.3, on: "poll" },
    droppedRequest: { probability: 0.2, on: "poll" },
  }),
  "one render at a time": free({ concurrency: 1 }),
  "renders that fail": retried({ failTasks: 0.4 }),
  "renders that fail without a code": retried({ failTasks: 0.4, failCode: null }),
  "content refused late, and charged": failing({ safetyFailure: 0.4 }),
  "renders forever": retried({ stuckTasks: 0.4 }),
  // Asked again, it makes a new link each time.
  "links of five seconds": free({ urlTtlMs: 5_000 }),
  "files missing": { knobs: { mediaMissing: 0.5 }, costs: "videos", struck: fetchedAgain },
  "files cut half-way": { knobs: { mediaCut: 0.5 }, costs: "videos", struck: fetchedAgain },
};

/** How its mixtures are mixed. */
export const RUNWAY_RECIPE: Recipe<RunwayKnobChanges> = {
  probable: {
    droppedRequest: 0.1,
    rateLimit: 0.15,
    serverError: 0.1,
    badGateway: 0.1,
    lostAck: 0.1,
    lateServerError: 0.1,
    badJson: 0.1,
    failTasks: 0.4,
    safetyFailure: 0.1,
    stuckTasks: 0.1,
    mediaMissing: 0.4,
    mediaCut: 0.4,
  },
  counted: { unauthorized: 6, insufficientCredits: 6, hungAck: 2 },
  choices: {
    failCode: ["INTERNAL.BAD_OUTPUT.CODE01", "THIRD_PARTY.UNAVAILABLE", null],
    retryAfterSeconds: [null, 1, 45],
    concurrency: [null, 5],
    urlTtlMs: [86_400_000, 600_000, 60_000],
  },
};
