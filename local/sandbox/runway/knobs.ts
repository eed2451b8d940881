import { z } from "zod";
import { count, fault, KnobStore, requestFault } from "../knobs.ts";

const schema = z.strictObject({
  /** How long a render takes once it runs, in ms. */
  renderMs: count.default(6_000),
  /** How long a task is PENDING before it runs, in ms. */
  pendingMs: count.default(500),
  /** True: tasks end only through `finish` and `fail`. */
  manual: z.boolean().default(false),
  /** Tasks of one model that run at once; more are THROTTLED. Null: no limit. */
  concurrency: count.min(1).nullable().default(null),
  /** Tasks of one model in a day; the next is a 429. Null: no limit. */
  dailyLimit: count.nullable().default(null),
  /** Every answer of the API waits for this long, in ms of real time. */
  slowReplyMs: count.default(0),

  // Requests that fail before anything is done: nothing is bought.
  /** The connection is closed without an answer. */
  droppedRequest: requestFault.default(0),
  /** 401. */
  unauthorized: requestFault.default(0),
  /** 400 with the sentence that tells of an empty account. */
  insufficientCredits: requestFault.default(0),
  /** 429. */
  rateLimit: requestFault.default(0),
  /** Seconds of the Retry-After header of a 429; null leaves it out. */
  retryAfterSeconds: count.nullable().default(null),
  /** 500. */
  serverError: requestFault.default(0),
  /** 502, as when load is shed. */
  badGateway: requestFault.default(0),
  /** 404 without a word of Runway's, as what stands in front of it may answer. */
  strayNotFound: requestFault.default(0),

  // Requests that fail after they were carried out (creates, unless `on` says otherwise).
  /** The connection is closed without an answer. */
  lostAck: requestFault.default(0),
  /** No answer ever comes. */
  hungAck: requestFault.default(0),
  /** 500 all the same. */
  lateServerError: requestFault.default(0),
  /** 200 with a page of HTML. */
  badJson: requestFault.default(0),

  // Tasks.
  /** Creates whose prompt has this in it are refused with 400. Null: no prompt is refused. */
  refuseWord: z.string().min(1).nullable().default(null),
  /** Tasks whose render ends with `failCode`. */
  failTasks: fault.default(0),
  /** Null: a failure without a code. */
  failCode: z.string().min(1).nullable().default("INTERNAL.BAD_OUTPUT.CODE01"),
  failMessage: z.string().default("An unexpected error occurred."),
  /** Tasks that are refused by moderation after they were taken, and charged all the same. */
  safetyFailure: fault.default(0),
  /** Tasks that run forever. */
  stuckTasks: fault.default(0),

  // Files and account.
  /** Life of a result URL, in ms; asking for the task again makes a new one. */
  urlTtlMs: count.default(24 * 3_600_000),
  /** Downloads that are answered with 404. */
  mediaMissing: fault.default(0),
  /** Downloads whose connection is closed half-way. */
  mediaCut: fault.default(0),
  /** Size of every file in bytes, filled up; null: the small file as it is. */
  mediaBytes: count.max(2 ** 32 - 1).nullable().default(null),
  /** What the account had before it bought anything, in credits. */
  creditBalance: z.number().default(1_000_000),
});

/**
 * Everything about the sandbox that can be changed while it runs; see the comments in the schema.
 */
export type RunwayKnobs = z.output<typeof schema>;
/** Some knobs and what they are to be turned to. */
export type RunwayKnobChanges = Partial<z.input<typeof schema>>;

/** The knobs as they are now. */
export type RunwayKnobStore = KnobStore<RunwayKnobs>;

/** Throws a KnobError that names the knob that is unknown or has a wrong value. */
export function newRunwayKnobs(changes: unknown): RunwayKnobStore {
  const late = ["lostAck", "hungAck", "lateServerError", "badJson"] as const;
  return new KnobStore(schema, { late, changes });
}
