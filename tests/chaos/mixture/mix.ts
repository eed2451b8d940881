/** Random mixtures of faults: each there or not, and how much of it. */
import type { KnobChanges } from "../../../local/sandbox/runware.ts";
import type { Random } from "../../../local/sandbox/random.ts";
import type { ShopKnobs } from "../shops/shop.ts";

/** What is drawn from. */
export interface Recipe<K> {
  /** Faults that strike with a probability, and the highest: together they must leave a way through. */
  readonly probable: { readonly [name in keyof K]?: number };
  /** Faults that strike the next so many times: certain, or each strike costs minutes. */
  readonly counted: { readonly [N in keyof K]?: number };
  /** Forms and times; each list's first is how a provider behaves that works. */
  readonly choices: { readonly [N in keyof K]?: readonly K[N][] };
}

/** Runware's. */
export const RUNWARE_RECIPE: Recipe<KnobChanges> = {
  probable: {
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
    flaggedContent: 0.05,
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
  },

  counted: { invalidApiKey: 6, insufficientCredits: 6, hungAck: 2 },

  choices: {
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
  },
};

/** The knobs of one mixture: half of all faults, each with a share of its highest probability. */
export function mixtureOf(
  random: Random,
  { probable, counted, choices }: Recipe<ShopKnobs>,
): ShopKnobs {
  const knobs: Record<string, unknown> = {};
  for (const [name, most = 0] of Object.entries(probable)) {
    if (random() < 0.5) knobs[name] = Number((most * (0.2 + 0.8 * random())).toFixed(2));
  }
  for (const [name, most = 0] of Object.entries(counted)) {
    if (random() < 0.5) knobs[name] = { next: 1 + Math.floor(random() * most) };
  }
  for (const [name, values = []] of Object.entries(choices)) {
    knobs[name] = values[Math.floor(random() * values.length)];
  }
  return knobs;
}

/** The knobs in one line, without those that are as ever. */
export function describeKnobs(knobs: ShopKnobs, { choices }: Recipe<ShopKnobs>): string {
  const usual = new Map<string, unknown>(
    Object.entries(choices).map(([name, values = []]) => [name, values[0]]),
  );
  return Object.entries(knobs)
    .filter(([name, value]) => usual.get(name) !== value)
    .map(([name, value]) => `${name} ${JSON.stringify(value)}`)
    .join(", ");
}
