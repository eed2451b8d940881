/** What maintenance does for one video. */
import { enqueue, isQueued } from "./queue_rules.ts";
import { type Attempt, type Model, RULES, type Video } from "./state.ts";
import { failAttempt, failStoring, failVideo } from "./work_rules.ts";

/** Brings the video back on its way, or to its end. */
export function reconcile(model: Model, account: { readonly gone: boolean }, video: Video): void {
  if (account.gone) return;
  const newest = () => video.attempts[video.attempts.length - 1];
  const attempt = newest();
  if (attempt === undefined) return;
  if (isWaiting(model, attempt) && attempt.createdAt + RULES.queuedDeadline <= model.now) {
    failVideo(model, video);
  }
  if (isTooLate(model, attempt)) failAttempt(model, { account, video, attempt }, 5);
  if (isWaiting(model, attempt) && !isQueued(attempt, "submit-video")) {
    enqueue(model, attempt, "submit-video");
  }
  if (video.status !== "rendering") return;
  if (attempt.finishedAt + RULES.storingDeadline <= model.now) {
    failStoring(model, { account, video, attempt });
  } else if (!isQueued(attempt, "store-video")) {
    enqueue(model, attempt, "store-video");
  }
}

/** Nobody is handing it over right now. */
function isWaiting(model: Model, attempt: Attempt): boolean {
  return attempt.status === "pending" ||
    (attempt.status === "claimed" && attempt.leaseUntil <= model.now);
}

/** The provider never ends it, and was asked once more, or nobody asks any more. */
function isTooLate(model: Model, { status, deadline, nextPoll }: Attempt): boolean {
  return status === "processing" && deadline <= model.now &&
    ((nextPoll !== null && nextPoll > model.now) || deadline + RULES.unpolledDeadline <= model.now);
}
