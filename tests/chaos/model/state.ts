/**
 * The model: what a reader of the docs would expect the database to hold. Pure data, no SQL; time is
 * a number of seconds that moves only when a story says so.
 */

/**
 * The settings that the model test runs under. All times are multiples of ten seconds. The lease is
 * longer than the queue's patience, so that a job is given out while another worker still has it. */
export const RULES = {
  prices: [10, 25, 0],
  startingGems: 60,
  queueLimit: 4,
  maxAttempts: 3,
  maxInFlight: 3,
  refundPercent: 50,
  pollSteps: [10, 20, 30],
  // Shorter than the time for which a provider may not know a task yet, as it is in production: nobody who
  // may still hand an attempt over finds it given up as forgotten.
  submitLease: 90,
  pollLease: 60,
  renderDeadline: 30 * 60,
  silentDeadline: 60 * 60,
  missingGrace: 90,
  missingSeconds: 120,
  unaskedDeadline: 6 * 60 * 60,
  queuedDeadline: 4 * 60 * 60,
  doubtGrace: 10 * 60,
  storingDeadline: 30 * 60,
  storingGrace: 60 * 60,
  longestHold: 60 * 60,
  superviseEvery: 60,
  queues: {
    "submit-runware": { expires: 20, delay: 1, longestDelay: 60 },
    "store-video": { expires: 300, delay: 2, longestDelay: 120 },
  },
} as const;

/** Kinds of provider, and what the operator wants where nobody knows whether something was bought. */
export const PROVIDERS = {
  "takes our ids": { choosesTaskId: true, unknown: "refund" },
  "makes up ids, refund": { choosesTaskId: false, unknown: "refund" },
  "makes up ids, retry": { choosesTaskId: false, unknown: "retry" },
} as const;
/** A kind of provider. */
export type ProviderKind = keyof typeof PROVIDERS;

/** What a story is set in. */
export interface Setting {
  readonly provider: ProviderKind;
  /** Times the queues give a job out again. With none, stories soon come to where one is in no queue any more. */
  readonly retries: number;
  /** Times an attempt may be claimed. */
  readonly claims: number;
}

/** How much real time a story may take, in seconds: less than the step of its own clock. */
export const PATIENCE_SECONDS = 9;

/** The queues there are. */
export type QueueName = keyof typeof RULES.queues;

/** One row of the work queue. */
export interface QueueEntry {
  /** Tells a row from an earlier one with the same id. */
  readonly made: number;
  state: "waiting" | "active" | "completed" | "failed";
  /** Times it was given out after the first. */
  round: number;
  begun: boolean;
  /** It may be given out from some time between these two; the queue adds chance to its delays. */
  from: number;
  to: number;
  /** From when it is given out, once the database was looked at: what chance added is known then. */
  seen: number | null;
  startedAt: number;
}

/** Why an attempt failed. */
export type Cause =
  | "refused"
  | "failed"
  | "missing"
  | "a webhook's word"
  | "deadline"
  | "unknown outcome"
  | "claims used up"
  | "video failed";

/** One try to make a video. */
export interface Attempt {
  readonly number: number;
  /** Learned from the database; "" until then. */
  id: string;
  status: "pending" | "claimed" | "processing" | "completed" | "failed" | "cancelled";
  claims: number;
  node: string;
  claimedAt: number;
  leaseUntil: number;
  submittedAt: number;
  /** The provider may have it though it never said so. */
  maybeBought: boolean;
  nextPoll: number | null;
  polls: number;
  /** Since when the provider has known nothing of it, each time. */
  missingSince: number | null;
  deadline: number;
  finishedAt: number;
  cause: Cause | null;
  /** The operator was told that it may have been bought. */
  doubted: boolean;
  readonly createdAt: number;
  readonly queue: Record<QueueName, QueueEntry | null>;
}

/** A video and the money that moved for it. */
export interface Video {
  readonly id: string;
  readonly price: number;
  readonly key: string | null;
  readonly hash: string;
  status: "queued" | "processing" | "rendering" | "completed" | "failed" | "cancelled";
  stage: string;
  progress: number;
  retries: number;
  refund: number;
  notices: string[];
  readonly attempts: Attempt[];
}

/** A parent with gems. */
export interface Account {
  readonly id: string;
  gone: boolean;
  /** Gems by idempotency key. */
  readonly grants: Record<string, number>;
  videos: Video[];
}

/** Everything. Cloned before each guess. */
export interface Model {
  readonly setting: Setting;
  now: number;
  made: number;
  pausedUntil: number;
  supervisedAt: number;
  readonly accounts: Record<string, Account>;
  /** Hashes of the webhooks taken in. */
  readonly events: string[];
  /** What a reader of the tally wants to know of and no answer tells, since it was last counted. */
  readonly happened: string[];
}

/** What the model says cannot have happened. */
export class Unexplained extends Error {
  override name = "Unexplained";
}

/** An empty world with these users in it. */
export function newModel(userIds: readonly string[], setting: Setting): Model {
  return {
    setting,
    now: 0,
    made: 0,
    pausedUntil: 0,
    supervisedAt: Number.NEGATIVE_INFINITY,
    events: [],
    happened: [],
    accounts: Object.fromEntries(
      userIds.map((
        id,
      ) => [id, { id, gone: false, grants: { start: RULES.startingGems }, videos: [] }]),
    ),
  };
}

/** The gems of a user: what was given, less what videos cost, plus what came back. */
export function balanceOf({ grants, videos }: Account): number {
  const given = Object.values(grants).reduce((sum, gems) => sum + gems, 0);
  return videos.reduce((sum, video) => sum - video.price + video.refund, given);
}

/** Whether a video is on its way. */
export function isUnderWay({ status }: Video): boolean {
  return status === "queued" || status === "processing" || status === "rendering";
}

/** Whether an attempt may still change. */
export function isLive({ status }: Attempt): boolean {
  return status === "pending" || status === "claimed" || status === "processing";
}

/** All attempts, each with its video and owner. */
export function* attemptsOf(model: Model) {
  for (const account of Object.values(model.accounts)) {
    for (const video of account.videos) {
      for (const attempt of video.attempts) yield { account, video, attempt };
    }
  }
}

/** The attempt with this id, with its video and owner. */
export function findAttempt(model: Model, id: string) {
  for (const found of attemptsOf(model)) if (found.attempt.id === id) return found;
  throw new Unexplained(`There is no attempt "${id}"`);
}

/** The account with this id. */
export function findAccount(model: Model, id: string): Account {
  const account = model.accounts[id];
  if (account === undefined) throw new Unexplained(`There is no user "${id}"`);
  return account;
}

/** Insists on what the model expects. */
export function expect(what: string, found: unknown, expected: unknown): void {
  const [one, other] = [JSON.stringify(found), JSON.stringify(expected)];
  if (one !== other) throw new Unexplained(`${what}: found ${one}, expected ${other}`);
}
