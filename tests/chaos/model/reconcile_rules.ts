/** What maintenance does for one video. */
import { enqueue, isQueued } from "./queue_rules.ts";
import { type Attempt, type Model, PROVIDERS, RULES, type Video } from "./state.ts";
import { noteDoubts } from "./door_rules.ts";
import {
  doubt,
  failAttempt,
  failStoring,
  failUnknown,
  failVideo,
  type Place,
} from "./work_rules.ts";

/** Brings the video back on its way, or to its end. */
export function reconcile(model: Model, account: { readonly gone: boolean }, video: Video): void {
  if (account.gone) return;
  const attempt = video.attempts[video.attempts.length - 1];
  if (attempt === undefined) return;
  if (
    isWaiting(model, attempt) && attempt.createdAt + RULES.queuedDeadline <= model.now &&
    !isAskedAbout(model, attempt)
  ) {
    giveUp(model, { account, video, attempt });
  }
  if (isForgotten(model, attempt)) failAttempt(model, { account, video, attempt }, "deadline", 5);
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

/** No provider has taken it for too long. */
function giveUp(model: Model, place: Place): void {
  const { video, attempt } = place;
  const { choosesTaskId } = PROVIDERS[model.setting.provider];
  const mayBeSold = attempt.status === "claimed";
  // What a vanished worker may have bought is asked about once, where that can be done.
  if (mayBeSold && choosesTaskId && attempt.nextPoll === null) return doubt(attempt, model.now);
  noteDoubts(video);
  if (mayBeSold && !choosesTaskId) failUnknown(model, place);
  else failVideo(model, video);
}

/** Nobody is handing it over right now. */
function isWaiting(model: Model, attempt: Attempt): boolean {
  return attempt.status === "pending" ||
    (attempt.status === "claimed" && attempt.leaseUntil <= model.now);
}

/** The provider may have taken it a moment ago, and can be asked. */
function isAskedAbout({ setting, now }: Model, { maybeBought, claimedAt }: Attempt): boolean {
  return PROVIDERS[setting.provider].choosesTaskId && maybeBought &&
    claimedAt + RULES.doubtGrace > now;
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
