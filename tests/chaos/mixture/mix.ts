/** Random mixtures of faults: each there or not, and how much of it. */
import type { KnobChanges } from "../../../local/sandbox/runware.ts";
import type { Random } from "../../../local/sandbox/random.ts";

/** Faults that strike with a probability, and the highest: together they must leave a way through. */
const PROBABLE = {
  droppedRequest: 0.15,
  rateLimit: 0.15,
  serverError: 0.15,
  noServer: 0.15,
  lostAck: 0.3,
  lateServerError: 0.3,
  emptyAck: 0.3,
  badJson: 0.2,
  refuseTasks: 0.2,
  safetyRefusal: 0.1,
  failTasks: 0.4,
  lateSafetyRefusal: 0.1,
  stuckTasks: 0.1,
  unansweredPolls: 0.4,
  webhookLost: 0.6,
  webhookLate: 0.5,
  webhookDoubled: 0.5,
  webhookReordered: 0.5,
  webhookForged: 0.5,
  webhookBeforeAck: 0.5,
  mediaMissing: 0.4,
  mediaWrongContent: 0.05,
  mediaCut: 0.4,
} as const satisfies KnobChanges;

/** Faults that strike the next so many times: certain, or each strike costs minutes. */
const COUNTED = { invalidApiKey: 6, insufficientCredits: 6, hungAck: 2 } as const satisfies Record<
  string,
  number
>;

/** Forms and times; each list's first is how a provider behaves that works. */
const CHOICES = {
  refuseCode: ["providerRateLimitExceeded", "providerError", "noAvailableServer"],
  failCode: ["providerError", "providerRateLimitExceeded", "timeoutProvider"],
  retryAfterSeconds: [null, 1, 45],
  unknownId: ["processing", "empty", "taskNotFound"],
  failedPollStatus: [200, 400, 500],
  failureForm: ["errors", "item", "flatItem"],
  processingForm: ["videoInference", "getResponse"],
  sendProgress: [true, false],
  receiptForm: ["full", "noStatus", "media"],
  shuffledReplies: [false, true],
  forgetAfterMs: [null, null, null, 60_000],
  webhookForm: ["wrapped", "flat", "mixed"],
  webhookLateMs: [5_000, 60_000, 600_000],
  urlTtlMs: [null, null, 600_000, 60_000],
  expiredStatus: [403, 404, 410],
} as const satisfies { readonly [K in keyof KnobChanges]: readonly KnobChanges[K][] };

/** The knobs of one mixture: half of all faults, each with a share of its highest probability. */
export function mixtureOf(random: Random): KnobChanges {
  const knobs: Record<string, unknown> = {};
  for (const [name, most] of Object.entries(PROBABLE)) {
    if (random() < 0.5) knobs[name] = Number((most * (0.2 + 0.8 * random())).toFixed(2));
  }
  for (const [name, most] of Object.entries(COUNTED)) {
    if (random() < 0.5) knobs[name] = { next: 1 + Math.floor(random() * most) };
  }
  for (const [name, values] of Object.entries(CHOICES)) {
    knobs[name] = values[Math.floor(random() * values.length)];
  }
  return knobs;
}

/** The knobs in one line, without those that are as ever. */
export function describeKnobs(knobs: KnobChanges): string {
  const usual = new Map<string, unknown>(
    Object.entries(CHOICES).map(([name, [first]]) => [name, first]),
  );
  return Object.entries(knobs)
    .filter(([name, value]) => usual.get(name) !== value)
    .map(([name, value]) => `${name} ${JSON.stringify(value)}`)
    .join(", ");
}
