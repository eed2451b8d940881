/** What the doors do: gems granted, videos queued and cancelled, webhooks taken in, accounts deleted. */
import { enqueue } from "./queue_rules.ts";
import {
  type Account,
  type Attempt,
  balanceOf,
  isLive,
  isUnderWay,
  type Model,
  RULES,
  type Video,
} from "./state.ts";

/** A fresh attempt, in the queue. */
export function addAttempt(model: Model, video: Video, delay: number): void {
  const attempt: Attempt = {
    number: video.attempts.length + 1,
    id: "",
    status: "pending",
    claims: 0,
    node: "",
    claimedAt: 0,
    leaseUntil: 0,
    submittedAt: Number.NEGATIVE_INFINITY,
    maybeBought: false,
    nextPoll: null,
    polls: 0,
    missingSince: null,
    deadline: 0,
    finishedAt: 0,
    cause: null,
    doubted: false,
    createdAt: model.now,
    queue: { "submit-runware": null, "store-video": null },
  };
  video.attempts.push(attempt);
  enqueue(model, attempt, "submit-runware", model.now + delay);
}

/** What a grant answers: whether it was made before, or an error. */
export function grant(
  account: Account,
  key: string,
  gems: number,
): "granted" | "replayed" | "GM002" | "GM005" {
  if (account.gone) return "GM005";
  const before = account.grants[key];
  if (before !== undefined) return before === gems ? "replayed" : "GM002";
  account.grants[key] = gems;
  return "granted";
}

/** What someone asks for when queueing. */
export interface Order {
  readonly price: number;
  readonly key: string | null;
  readonly hash: string;
}

/** What queueing answers: the id of the video of an earlier call, "new", or an error. */
export function orderOutcome(account: Account, order: Order): string {
  if (account.gone) return "GM005";
  const before = account.videos.find((video) => order.key !== null && video.key === order.key);
  if (before !== undefined) return before.hash === order.hash ? before.id : "GM002";
  if (account.videos.filter(isUnderWay).length >= RULES.queueLimit) return "GM004";
  return balanceOf(account) < order.price ? "GM001" : "new";
}

/** Charges and queues. */
export function addVideo(model: Model, account: Account, id: string, order: Order): void {
  const video: Video = {
    ...order,
    id,
    status: "queued",
    stage: "initializing",
    progress: 0,
    retries: 0,
    refund: 0,
    notices: [],
    attempts: [],
  };
  account.videos.push(video);
  addAttempt(model, video, 0);
}

/** Cancels. Answers the gems that came back, or an error. */
export function cancel(model: Model, account: Account, video: Video): number | "GM005" | "GM006" {
  if (account.gone) return "GM005";
  if (video.status === "cancelled") return video.refund;
  if (video.status !== "queued" && video.status !== "processing") return "GM006";
  video.refund = video.status === "queued"
    ? video.price
    : Math.floor(video.price * RULES.refundPercent / 100);
  noteDoubts(video);
  video.status = "cancelled";
  endAttempts(model, video, "cancelled");
  return video.refund;
}

/** What the provider may have, though it never said so, is told to the operator before it is given up. */
export function noteDoubts(video: Video): void {
  for (const attempt of video.attempts) {
    if (attempt.status === "claimed") attempt.doubted = true;
  }
}

/** Ends what is still alive of a video. */
export function endAttempts(model: Model, video: Video, status: "cancelled" | "failed"): void {
  const cause = status === "failed" ? "video failed" : null;
  for (const attempt of video.attempts.filter(isLive)) {
    Object.assign(attempt, { status, finishedAt: model.now, nextPoll: null, cause });
  }
}

/** A webhook only makes an attempt due, and tells that the provider has it. */
export function ring(model: Model, attempt: Attempt): void {
  if (attempt.status === "claimed" || attempt.status === "processing") {
    Object.assign(attempt, { nextPoll: model.now, maybeBought: true });
    model.happened.push("webhook rang");
  }
}
