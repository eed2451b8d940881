import { z } from "zod";
import type { Random } from "../random.ts";

/** What a request asks for, as far as faults care. */
export type RequestKind = "submit" | "poll" | "other";

const probability = z.number().min(0).max(1);
const count = z.number().int().min(0);

/** A probability, or a count (`{ next: 2 }`: the next two and then no more). */
const fault = z.union([probability, z.strictObject({ next: count })]);
/** The same for whole requests; `on` keeps it to one kind of them. */
const requestFault = z.union([
  probability,
  z.strictObject({
    probability: probability.optional(),
    next: count.optional(),
    on: z.enum(["submit", "poll", "any"]).optional(),
  }),
]);

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

/** A knob that is a fault of whole requests. */
export type RequestFaultName = {
  [K in keyof RunwayKnobs]: z.output<typeof requestFault> extends RunwayKnobs[K] ? K : never;
}[keyof RunwayKnobs];
/** A knob that is a fault of single tasks or downloads. */
export type FaultName = Exclude<
  { [K in keyof RunwayKnobs]: z.output<typeof fault> extends RunwayKnobs[K] ? K : never }[
    keyof RunwayKnobs
  ],
  RequestFaultName
>;

const ACK_FAULTS: ReadonlySet<string> = new Set(
  ["lostAck", "hungAck", "lateServerError", "badJson"] satisfies RequestFaultName[],
);

/** The knobs as they are now. Drawing a counted fault uses it up. */
export class RunwayKnobStore {
  readonly #atStart: RunwayKnobs;
  #values: RunwayKnobs;

  /** Throws a ZodError that names the knob that is unknown or has a wrong value. */
  constructor(changes: unknown = {}) {
    this.#atStart = schema.parse(changes);
    this.#values = this.#atStart;
  }

  get values(): RunwayKnobs {
    return this.#values;
  }

  /** Turns some knobs and leaves the others. Throws a ZodError. */
  merge(changes: unknown): RunwayKnobs {
    this.#values = schema.parse({
      ...this.#values,
      ...z.record(z.string(), z.unknown()).parse(changes),
    });
    return this.#values;
  }

  /** Puts every knob back to where it was at the start. */
  reset(): void {
    this.#values = this.#atStart;
  }

  /** Whether the fault `name` happens this time. */
  draw(name: FaultName, random: Random): boolean {
    return this.#draw(name, this.#values[name], random);
  }

  /** Whether the fault `name` happens to this request. */
  drawFor(kind: RequestKind, name: RequestFaultName, random: Random): boolean {
    const value = this.#values[name];
    const on = (typeof value === "object" ? value.on : undefined) ??
      (ACK_FAULTS.has(name) ? "submit" : "any");
    return (on === "any" || on === kind) && this.#draw(name, value, random);
  }

  #draw(
    name: FaultName | RequestFaultName,
    value: z.output<typeof requestFault>,
    random: Random,
  ): boolean {
    if (typeof value === "object" && value.next !== undefined) {
      const { next } = value;
      if (next > 0) this.#values = { ...this.#values, [name]: { ...value, next: next - 1 } };
      return next > 0;
    }
    const chance = typeof value === "number" ? value : value.probability ?? 0;
    // Certain and impossible faults draw no number, so that they do not shift those of the others.
    return chance >= 1 || (chance > 0 && random() < chance);
  }
}
