/** What maintenance does for one video. */
import { enqueue, isQueued } from "./queue_rules.ts";
import { type Attempt, type Model, RULES, type Video } from "./state.ts";
import { doubt, failAttempt, failStoring, failVideo } from "./work_rules.ts";

/** Brings the video back on its way, or to its end. */
export function reconcile(model: Model, account: { readonly gone: boolean }, video: Video): void {
  if (account.gone) return;
  const newest = () => video.attempts[video.attempts.length - 1];
  const attempt = newest();
  if (attempt === undefined) return;
  if (isWaiting(model, attempt) && attempt.createdAt + RULES.queuedDeadline <= model.now) {
    // What a vanished worker may have bought is asked about once before it is given up.
    if (attempt.status === "claimed" && attempt.nextPoll === null) doubt(attempt, model.now);
    else failVideo(model, video);
  }
  if (isForgotten(model, attempt)) failAttempt(model, { account, video, attempt }, 5);
  if (isWaiting(model, attempt) && !isQueued(attempt, "submit-runware")) {
    enqueue(model, attempt, "submit-runware");
  }
  if (video.status !== "rendering") return;
  if (attempt.finishedAt + RULES.storingDeadline <= model.now) {
    const isTooLate = attempt.finishedAt + RULES.storingDeadline + RULES.storingGrace <= model.now;
    if (isTooLate || !isInGoodHands(attempt)) failStoring(model, { account, video, attempt });
  } else if (!isQueued(attempt, "store-video")) {
    enqueue(model, attempt, "store-video");
  }
}

/** Nobody is handing it over right now. */
function isWaiting(model: Model, attempt: Attempt): boolean {
  return attempt.status === "pending" ||
    (attempt.status === "claimed" && attempt.leaseUntil <= model.now);
}

/** Nobody has asked about it for hours. */
function isForgotten(model: Model, { status, deadline }: Attempt): boolean {
  return status === "processing" && deadline + RULES.unaskedDeadline <= model.now;
}

/** Nobody has begun to copy it, or somebody is at it. */
function isInGoodHands({ queue }: Attempt): boolean {
  const entry = queue["store-video"];
  return entry?.state === "active" || (entry?.state === "waiting" && !entry.begun);
}
