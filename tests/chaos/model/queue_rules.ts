/** How the work queue behaves: jobs are given out one round at a time, and settled by that round only. */
import {
  type Attempt,
  attemptsOf,
  isLive,
  type Model,
  PATIENCE_SECONDS,
  PROVIDERS,
  type QueueEntry,
  type QueueName,
  RULES,
  Unexplained,
} from "./state.ts";

/** What a worker holds of a queue job: which row, and which round of it. */
export interface Ticket {
  readonly made: number;
  readonly round: number;
}

/** Puts an attempt into a queue; a row that is there already makes room. */
export function enqueue(model: Model, attempt: Attempt, queue: QueueName, from = model.now): void {
  model.made += 1;
  attempt.queue[queue] = {
    made: model.made,
    state: "waiting",
    round: 0,
    begun: false,
    from,
    to: from,
    seen: null,
    startedAt: 0,
  };
}

/** The queue gives the job out. Answers the ticket by which alone it can be settled. */
export function giveOut(model: Model, attempt: Attempt, queue: QueueName): Ticket {
  const entry = attempt.queue[queue];
  if (entry?.state !== "waiting" || (entry.seen ?? entry.from) > model.now + PATIENCE_SECONDS) {
    throw new Unexplained(
      `${queue} gave out a job that is ${entry?.state ?? "not there"} or waits`,
    );
  }
  if (entry.begun) entry.round += 1;
  Object.assign(entry, { state: "active", begun: true, startedAt: model.now });
  return { made: entry.made, round: entry.round };
}

/**
 * Whether the ticket still stands for what the queue has. pg-boss knows a round by its number, so a job
 * that was made anew is settled by whoever slept since the same round of the old one. For a copy that is
 * as good: what the sleeper did is what the new job asks for. Submitters settle only what was still theirs.
 */
function isHeldBy(
  entry: QueueEntry | null,
  queue: QueueName,
  ticket: Ticket,
): entry is QueueEntry {
  const isSame = queue === "store-video" || entry?.made === ticket.made;
  return entry?.state === "active" && isSame && entry.round === ticket.round;
}

/** The worker is done with the job. */
export function complete(attempt: Attempt, queue: QueueName, ticket: Ticket): void {
  const entry = attempt.queue[queue];
  if (isHeldBy(entry, queue, ticket)) entry.state = "completed";
}

/** The worker hands the job back, to be given out again after a while. */
export function handBack(model: Model, attempt: Attempt, queue: QueueName, ticket: Ticket): void {
  const entry = attempt.queue[queue];
  if (isHeldBy(entry, queue, ticket)) again(model, entry, queue);
}

/** One more round after a while, or the end. */
function again(model: Model, entry: QueueEntry, queue: QueueName): void {
  const { delay, longestDelay } = RULES.queues[queue];
  if (entry.round >= model.setting.retries) {
    entry.state = "failed";
    return;
  }
  entry.state = "waiting";
  entry.from = model.now + Math.min(longestDelay, delay * 2 ** entry.round);
  entry.to = model.now + Math.min(longestDelay, delay * 2 ** (entry.round + 1));
  entry.seen = null;
}

/** Whether the job was in one worker's hands for too long. */
export function isExpired(model: Model, attempt: Attempt, queue: QueueName): boolean {
  const entry = attempt.queue[queue];
  return entry?.state === "active" && entry.startedAt + RULES.queues[queue].expires <= model.now;
}

/** The supervisor takes an expired job from its worker. */
export function expire(model: Model, attempt: Attempt, queue: QueueName): void {
  const entry = attempt.queue[queue];
  if (entry !== null && isExpired(model, attempt, queue)) again(model, entry, queue);
}

/** Whether the queue still has the job waiting or in somebody's hands. */
export function isQueued(attempt: Attempt, queue: QueueName): boolean {
  const state = attempt.queue[queue]?.state;
  return state === "waiting" || state === "active";
}

/** Jobs that the queue has to give out now, come what may. */
export function* dueJobs(model: Model, queue: QueueName) {
  for (const { attempt } of attemptsOf(model)) {
    const entry = attempt.queue[queue];
    const isDue = isSurelyDue(model, entry) ||
      (entry !== null && entry.seen !== null && entry.seen + PATIENCE_SECONDS <= model.now);
    if (entry?.state === "waiting" && isDue) yield attempt;
  }
}

/** Whatever chance added to its delay. */
function isSurelyDue(model: Model, entry: QueueEntry | null): boolean {
  return entry?.state === "waiting" && entry.to <= model.now;
}

/** How many more attempts the provider may be given. */
export function freeSlots(model: Model): number {
  if (model.pausedUntil > model.now) return 0;
  let taken = 0;
  for (const { account, attempt } of attemptsOf(model)) {
    if (account.gone || !isLive(attempt)) continue;
    const claimed = attempt.status === "claimed" && attempt.leaseUntil > model.now;
    if (attempt.status === "processing" || claimed) taken += 1;
  }
  return Math.max(0, RULES.maxInFlight - taken);
}

/** Whether a worker would find something to do, as far as no chance is in it: a story told again is the same. */
export function hasWork(model: Model, job: "submit" | "poll" | "store"): boolean {
  const isWaiting = (queue: QueueName) =>
    [...attemptsOf(model)].some(({ attempt }) => isSurelyDue(model, attempt.queue[queue]));
  switch (job) {
    case "submit":
      return freeSlots(model) > 0 && isWaiting("submit-runware");
    case "store":
      return isWaiting("store-video");
    case "poll":
      return !duePolls(model).next().done;
  }
}

/** Attempts that the provider is to be asked about now. */
export function* duePolls(model: Model) {
  for (const { account, attempt } of attemptsOf(model)) {
    if (!account.gone && isDue(model, attempt)) yield attempt;
  }
}

/** Whether the provider is to be asked about it; one that makes up its ids knows none that it has not told. */
export function isDue(model: Model, { status, nextPoll }: Attempt): boolean {
  const hasId = status === "processing" || PROVIDERS[model.setting.provider].choosesTaskId;
  return hasId && nextPoll !== null && nextPoll <= model.now;
}
