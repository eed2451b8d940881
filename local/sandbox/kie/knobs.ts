import { z } from "zod";
import { count, fault, KnobStore, requestFault } from "../knobs.ts";

/** Faults that strike before a request is read: nothing is bought. */
const early = {
  /** The connection is closed without an answer. */
  droppedRequest: requestFault.default(0),
  /** 401. */
  unauthorized: requestFault.default(0),
  /** 402. */
  insufficientCredits: requestFault.default(0),
  /** 429, beside the one for more creates than the account may send. */
  rateLimit: requestFault.default(0),
  /** 433: this key has spent what it may. */
  keyCap: requestFault.default(0),
  /** 455. */
  maintenance: requestFault.default(0),
  /** 500. */
  serverError: requestFault.default(0),
};

/** Faults that strike after a request was carried out; submits only, unless `on` says otherwise. */
const late = {
  /** The connection is closed without an answer. */
  lostAck: requestFault.default(0),
  /** No answer ever comes. */
  hungAck: requestFault.default(0),
  /** 500 although the task was taken. */
  lateServerError: requestFault.default(0),
  /** 200 with no task in it. */
  emptyAck: requestFault.default(0),
  /** 200 with a page of HTML. */
  badJson: requestFault.default(0),
};

/** Faults of single tasks, callbacks and downloads. */
const single = {
  /** Tasks refused at once with `refuseCode` and `refuseMessage`. */
  refuseTasks: fault.default(0),
  /** Tasks whose render ends with `failCode` and `failMessage`. */
  failTasks: fault.default(0),
  /** Tasks that are rendered forever. */
  stuckTasks: fault.default(0),
  /** Callbacks that are never sent. */
  callbackLost: fault.default(0),
  /** Callbacks that are sent twice. */
  callbackDoubled: fault.default(0),
  /** Tasks whose callback URL is told of a success that is not true, as soon as they are taken. */
  callbackForged: fault.default(0),
  /** Tasks that are finished, and whose callback arrives, before the create is answered. */
  callbackBeforeAck: fault.default(0),
  /** Downloads that are answered with 404. */
  mediaMissing: fault.default(0),
  /** Downloads whose connection is closed half-way. */
  mediaCut: fault.default(0),
};

const schema = z.strictObject({
  ...early,
  ...late,
  ...single,

  // Time.
  /** How long a task waits before it is generated, and how long that takes, in ms. */
  queueMs: count.default(500),
  renderMs: count.default(6_000),
  /** True: tasks end only through `finish` and `fail`. */
  manual: z.boolean().default(false),
  /** How long a new task's record is said to be null, in ms. */
  hiddenMs: count.default(1_000),
  /** A record is null again this long after its task's end, in ms; null: never. */
  forgetAfterMs: count.nullable().default(null),
  /** Every answer waits for this long, in ms of real time. */
  slowReplyMs: count.default(0),

  // The account.
  /** True: HTTP statuses say what the code in the body says; otherwise they are 200. */
  trueHttpCodes: z.boolean().default(false),
  /** Creates that the account may send in `rateMs`. */
  rateMost: count.default(20),
  rateMs: count.default(10_000),
  /** Seconds of the Retry-After header of a 429; null leaves it out, as KIE does. */
  retryAfterSeconds: count.nullable().default(null),
  /** What the account had before it bought anything. */
  credits: z.number().default(1_000_000),

  // Words.
  /** A prompt with this word in it is refused; null: none is. */
  refuseWord: z.string().min(1).nullable().default(null),
  refuseCode: count.default(422),
  refuseMessage: z.string().default("The task was refused, as the sandbox was asked to"),
  failCode: z.string().default("500"),
  failMessage: z.string().default("Internal server error"),

  // Forms.
  /** Where a finished record has its links: in the JSON string, parsed, or both. */
  resultForm: z.enum(["both", "resultJson", "response"]).default("both"),
  /** A failed task's record says so, or its whole answer has code 501. */
  failureForm: z.enum(["record", "code"]).default("record"),
  callbackForm: z.enum(["market", "veo"]).default("market"),

  // Callbacks.
  /** With it, callbacks are signed. */
  callbackKey: z.string().min(1).nullable().default(null),
  /** How long a receiver may take to answer one try, in ms of real time. */
  callbackTimeoutMs: count.default(15_000),
  /** The first one and three more. */
  callbackTries: count.min(1).default(4),
  /** Pause between two tries, in ms. */
  callbackPauseMs: count.default(500),

  // Files.
  /** Life of a result URL, in ms. */
  urlTtlMs: count.default(24 * 3_600_000),
  /** Size of every file in bytes, filled up; null: the small file as it is. */
  mediaBytes: count.max(2 ** 32 - 1).nullable().default(null),
});

/**
 * Everything about the sandbox that can be changed while it runs; see the comments in the schema.
 */
export type KieKnobs = z.output<typeof schema>;
/** Some knobs and what they are to be turned to. */
export type KieKnobChanges = Partial<z.input<typeof schema>>;
/** A fault that strikes before a request is read. */
export type EarlyFaultName = keyof typeof early;
/** A fault that strikes after a request was carried out. */
export type LateFaultName = keyof typeof late;
/** The knobs as they are now. */
export type KieKnobStore = KnobStore<KieKnobs>;

/** Throws a KnobError that names the knob that is unknown or has a wrong value. */
export function newKieKnobs(changes: unknown): KieKnobStore {
  return new KnobStore(schema, { late: Object.keys(late) as LateFaultName[], changes });
}
