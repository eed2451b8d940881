/**
 * What happens after an attempt went wrong. Pure: kinds in, decision out. The provider's own code
 * and words never reach this file, so a new provider needs no new policy. How many attempts a video
 * has is not decided here: the database counts them, in the transaction that would make another.
 */
import type { ErrorKind } from "../providers/provider.ts";

/**
 * How the attempt ended: `refused` when it was handed over, so nothing was bought; `failed` after it
 * was accepted; `missing` when the provider, asked about it, says it knows no such task.
 */
export type Ending = "refused" | "failed" | "missing";

/** What is known about an attempt that went wrong. */
export interface Trouble {
  readonly ending: Ending;
  readonly kind: ErrorKind;
  /** Seconds the provider asked us to wait. */
  readonly retryAfterSeconds?: number;
  /** Which attempt this was, counted from 1. */
  readonly attempt: number;
}

/**
 * `retry`: a fresh attempt with a new id, while the video has any left. `hold`: the same job again
 * later; it does not count as an attempt. `fail`: final, the gems go back.
 */
export type Decision =
  | { readonly action: "retry"; readonly delaySeconds: number }
  | { readonly action: "hold"; readonly delaySeconds: number }
  | { readonly action: "fail" };

type Action = Decision["action"];

/**
 * Rule by rule why. Our key, our account and our pace are nobody's fault but ours, and whoever has no
 * room will have some: a video waits for them, or moves on along its chain, as long as it has not been
 * taken yet. Bad input and refused content fail again however often they are sent. So does a model that
 * is not offered, except at the other providers of the chain, which the database tries first. Everything
 * else may work the next time.
 */
const rules: Readonly<Record<Ending, Readonly<Record<ErrorKind, Action>>>> = {
  refused: {
    validation: "fail",
    auth: "hold",
    balance: "hold",
    rate: "hold",
    safety: "fail",
    provider: "retry",
    timeout: "retry",
    unavailable: "hold",
    model_off: "fail",
    not_found: "fail", // something it was to be made from, since the task is new
    server: "hold",
    unknown: "retry",
  },
  failed: {
    validation: "fail",
    auth: "retry",
    balance: "retry",
    rate: "retry",
    safety: "fail",
    provider: "retry",
    timeout: "retry",
    unavailable: "retry",
    model_off: "fail",
    not_found: "fail", // cancelled by hand at the provider
    server: "retry",
    unknown: "retry",
  },
  // Whatever the reason given: a task the provider does not have will never deliver.
  missing: {
    validation: "retry",
    auth: "retry",
    balance: "retry",
    rate: "retry",
    safety: "retry",
    provider: "retry",
    timeout: "retry",
    unavailable: "retry",
    model_off: "retry",
    not_found: "retry",
    server: "retry",
    unknown: "retry",
  },
};

/** Seconds before the next try, where the provider names none. Keys and accounts need a person. */
const patience: Readonly<Partial<Record<ErrorKind, number>>> = {
  auth: 300,
  balance: 300,
  rate: 30,
  server: 15,
  unavailable: 15,
};
const FIRST_RETRY_SECONDS = 5;
const LONGEST_WAIT_SECONDS = 3_600;

/** Decides about one attempt. Total: every kind and ending has an answer. */
export function decide(trouble: Trouble): Decision {
  const action = rules[trouble.ending][trouble.kind];
  if (action === "fail") return { action };
  return { action, delaySeconds: delayOf(trouble) };
}

function delayOf({ kind, attempt, retryAfterSeconds }: Trouble): number {
  const backoff = FIRST_RETRY_SECONDS * 2 ** Math.max(0, attempt - 1);
  const own = patience[kind] ?? backoff;
  return Math.min(Math.max(own, retryAfterSeconds ?? 0), LONGEST_WAIT_SECONDS);
}
