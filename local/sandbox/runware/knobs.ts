/**
 * How often something happens: a probability from 0 to 1 (drawn from the sandbox's seed), or a
 * count: `{ next: 2 }` happens to the next two and then no more.
 */
export type Fault =
  | number
  | { readonly probability: number }
  | { readonly next: number };

/** Which requests a fault is for: those that submit videos, those that poll, or any. */
export type RequestScope = "submit" | "poll" | "any";

/** A fault of a whole request; `on` narrows it to one kind of request. */
export type RequestFault =
  | number
  | { readonly probability: number; readonly on?: RequestScope | undefined }
  | { readonly next: number; readonly on?: RequestScope | undefined };

/** Everything about the sandbox that can be changed while it runs. */
export interface Knobs {
  // --- Time ---------------------------------------------------------------------------------
  /** How long a render takes, in ms. */
  readonly renderMs: number;
  /** How far one render's time may be from `renderMs`: 0.2 is up to 20 % more or less. */
  readonly renderSpread: number;
  /** True: tasks submitted from now on end only through `finish` and `fail`. */
  readonly manual: boolean;
  /** Every answer of the API waits for this long, in ms of real time. */
  readonly slowReplyMs: number;

  // --- Requests that fail before a task is read: nothing is bought ----------------------------
  /** The connection is closed without an answer. */
  readonly droppedRequest: RequestFault;
  /** 401 `invalidApiKey`. */
  readonly invalidApiKey: RequestFault;
  /** 402 `insufficientCredits`. */
  readonly insufficientCredits: RequestFault;
  /** 429 `rateLimitExceeded`. */
  readonly rateLimit: RequestFault;
  /** Seconds of the `Retry-After` header of a 429; null leaves the header out. */
  readonly retryAfterSeconds: number | null;
  /** 500 `internalServerError`. */
  readonly serverError: RequestFault;
  /** 503 `noAvailableServer`. */
  readonly noServer: RequestFault;

  // --- Requests that fail after their tasks were accepted: bought, and nobody was told ---------
  /** The connection is closed without an answer (submits unless `on` says otherwise). */
  readonly lostAck: RequestFault;
  /** No answer ever comes (submits unless `on` says otherwise). */
  readonly hungAck: RequestFault;
  /** 500 although the tasks were taken (submits unless `on` says otherwise). */
  readonly lateServerError: RequestFault;
  /** 200 with `data: []` instead of the acknowledgements (submits unless `on` says otherwise). */
  readonly emptyAck: RequestFault;
  /** 200 with an HTML page for a body. */
  readonly badJson: RequestFault;

  // --- Tasks ------------------------------------------------------------------------------------
  /** Tasks refused at once with `refuseCode`. */
  readonly refuseTasks: Fault;
  readonly refuseCode: string;
  /** Tasks refused at once with `contentPolicyViolation`. */
  readonly safetyRefusal: Fault;
  /** Tasks whose render ends with `failCode` and `failMessage`. */
  readonly failTasks: Fault;
  readonly failCode: string;
  readonly failMessage: string;
  /** Tasks whose render ends with `invalidProviderContent`, the upstream form of a refusal. */
  readonly lateSafetyRefusal: Fault;
  /** Tasks whose finished video is found unsafe for work, where that was to be looked at. */
  readonly flaggedContent: Fault;
  /** Tasks that are rendered forever. */
  readonly stuckTasks: Fault;

  // --- Answers to polls -------------------------------------------------------------------------
  /** What is said about an id that was never accepted (reports differ, see the README). */
  readonly unknownId: "processing" | "empty" | "taskNotFound";
  /** HTTP status of a poll that has nothing but failed tasks to tell. */
  readonly failedPollStatus: number;
  /**
   * Where a failed task is told: in `errors`, or in `data` with `error: {}`, or with flat fields.
   */
  readonly failureForm: "errors" | "item" | "flatItem";
  /** `taskType` of the item of a task in progress. */
  readonly processingForm: "videoInference" | "getResponse";
  /** Whether the item of a task in progress has `progress`. */
  readonly sendProgress: boolean;
  /** A finished item: with all fields, without `status`, or with `mediaUUID` and `mediaURL`. */
  readonly receiptForm: "full" | "noStatus" | "media";
  /** Polled tasks that the answer leaves out. */
  readonly unansweredPolls: Fault;
  /** Polled tasks that are told to be unknown though they are not, as by a server that lags behind. */
  readonly strayNotFound: Fault;
  /** True: the items of an answer come in any order. */
  readonly shuffledReplies: boolean;
  /** A task is unknown to polls this long after its end, in ms; null: it never is. */
  readonly forgetAfterMs: number | null;

  // --- Webhooks
  // -----------------------------------------------------------------------------------
  /** Webhooks that are never sent. */
  readonly webhookLost: Fault;
  /** Webhooks that are sent `webhookLateMs` after their time. */
  readonly webhookLate: Fault;
  readonly webhookLateMs: number;
  /** Webhooks that are sent twice. */
  readonly webhookDoubled: Fault;
  /** Webhooks that are held back until another one was sent (or for `webhookLateMs`). */
  readonly webhookReordered: Fault;
  /** Tasks whose webhook URL is also told, half-way, of a success that is not true. */
  readonly webhookForged: Fault;
  /** Tasks that are finished, and whose webhook arrives, before the submit is answered. */
  readonly webhookBeforeAck: Fault;
  /** `{data: [item]}`, the bare item, or both keys with one of them empty. */
  readonly webhookForm: "wrapped" | "flat" | "mixed";
  /** How long the receiver may take to answer one try, in ms of real time. */
  readonly webhookTimeoutMs: number;
  /** How often a webhook is tried until it is given up. */
  readonly webhookTries: number;
  /** Pause after the first failed try, in ms; doubled after each further one. */
  readonly webhookBackoffMs: number;
  /** Longest pause between two tries, in ms. */
  readonly webhookBackoffCapMs: number;

  // --- Files
  // ----------------------------------------------------------------------------------------
  /** Life of a result URL, in ms; null: the task's `ttl`, or forever. */
  readonly urlTtlMs: number | null;
  /** Status of an expired URL. */
  readonly expiredStatus: 403 | 404 | 410;
  /** Downloads that are answered with 404. */
  readonly mediaMissing: Fault;
  /** Downloads that are answered with 200 and an HTML page. */
  readonly mediaWrongContent: Fault;
  /** Downloads whose connection is closed half-way. */
  readonly mediaCut: Fault;
  /** Size of every file, in bytes: the video is filled up to it. null: the small file as it is. */
  readonly mediaBytes: number | null;

  // --- Account
  // --------------------------------------------------------------------------------------
  /** What the account had before it bought anything, in USD. */
  readonly balanceUsd: number;
  /** `balance` as a number, or as `{amount, freeBalance, currency}`. */
  readonly balanceForm: "number" | "object";

  // --- WebSocket
  // --------------------------------------------------------------------------------------
  /** A WebSocket on which nothing was said for this long is closed, in ms of real time. */
  readonly socketIdleMs: number;
}

/** What the knobs are when nobody turns them: a provider that works. */
export const DEFAULT_KNOBS: Knobs = {
  renderMs: 6_000,
  renderSpread: 0.2,
  manual: false,
  slowReplyMs: 0,
  droppedRequest: 0,
  invalidApiKey: 0,
  insufficientCredits: 0,
  rateLimit: 0,
  retryAfterSeconds: null,
  serverError: 0,
  noServer: 0,
  lostAck: 0,
  hungAck: 0,
  lateServerError: 0,
  emptyAck: 0,
  badJson: 0,
  refuseTasks: 0,
  refuseCode: "providerRateLimitExceeded",
  safetyRefusal: 0,
  failTasks: 0,
  failCode: "providerError",
  failMessage: "The provider could not render this video.",
  lateSafetyRefusal: 0,
  flaggedContent: 0,
  stuckTasks: 0,
  unknownId: "processing",
  failedPollStatus: 200,
  failureForm: "errors",
  processingForm: "videoInference",
  sendProgress: true,
  receiptForm: "full",
  unansweredPolls: 0,
  strayNotFound: 0,
  shuffledReplies: false,
  forgetAfterMs: null,
  webhookLost: 0,
  webhookLate: 0,
  webhookLateMs: 5_000,
  webhookDoubled: 0,
  webhookReordered: 0,
  webhookForged: 0,
  webhookBeforeAck: 0,
  webhookForm: "wrapped",
  webhookTimeoutMs: 5_000,
  webhookTries: 6,
  webhookBackoffMs: 250,
  webhookBackoffCapMs: 8_000,
  urlTtlMs: null,
  expiredStatus: 403,
  mediaMissing: 0,
  mediaWrongContent: 0,
  mediaCut: 0,
  mediaBytes: null,
  balanceUsd: 100_000,
  balanceForm: "number",
  socketIdleMs: 120_000,
};

/** Some knobs and what they are to be turned to. */
export type KnobChanges = Partial<Knobs>;
