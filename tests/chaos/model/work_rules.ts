/** What the workers' calls do to an attempt and its video: claiming, recording, polling, settling, storing. */
import { addAttempt, endAttempts, noteDoubts } from "./door_rules.ts";
import { NOT_FOUND } from "./provider.ts";
import { enqueue, isDue } from "./queue_rules.ts";
import { WEBHOOK_CODE } from "./webhooks.ts";
import {
  type Attempt,
  type Cause,
  isLive,
  type Model,
  PROVIDERS,
  RULES,
  type Video,
} from "./state.ts";

/** An attempt with what it belongs to. */
export interface Place {
  readonly account: { readonly gone: boolean };
  readonly video: Video;
  readonly attempt: Attempt;
}

function isIn(attempt: Attempt, ...states: Attempt["status"][]): boolean {
  return states.includes(attempt.status);
}

/** What a claim comes to: "started", "busy" (another worker's lease runs) or "over". */
export function claim(model: Model, place: Place, node: string): "started" | "busy" | "over" {
  const { account, video, attempt } = place;
  if (account.gone || !isIn(attempt, "pending", "claimed")) return "over";
  if (attempt.status === "claimed" && attempt.leaseUntil > model.now) return "busy";
  if (!PROVIDERS[model.setting.provider].choosesTaskId && attempt.status === "claimed") {
    // Under an id of the provider's own, handing it over again might be a second purchase.
    failUnknown(model, place);
    return "over";
  }
  if (attempt.claims >= model.setting.claims) {
    noteDoubts(video);
    failAttempt(model, place, "claims used up", null);
    return "over";
  }
  // Whoever held it vanished, perhaps after the provider had taken it.
  if (attempt.status === "claimed") doubt(attempt, model.now);
  Object.assign(attempt, {
    status: "claimed",
    claims: attempt.claims + 1,
    node,
    claimedAt: model.now,
    leaseUntil: model.now + RULES.submitLease,
  });
  Object.assign(video, { status: "processing", stage: "initializing", progress: 5 });
  return "started";
}

/** The code of an attempt of which nobody knows whether it was bought. */
export const UNKNOWN_OUTCOME = "unknown_outcome";

/** The provider may have the attempt: it is asked, at the latest by then. */
export function doubt(attempt: Attempt, by: number): void {
  attempt.maybeBought = true;
  attempt.nextPoll ??= by;
}

/** Nobody knows whether it was bought, and nobody can ask: what comes next is the operator's choice. */
export function failUnknown(model: Model, place: Place): "retried" | "failed" | "lost" {
  if (isLive(place.attempt)) Object.assign(place.attempt, { doubted: true, maybeBought: true });
  const again = PROVIDERS[model.setting.provider].unknown === "retry" ? 5 : null;
  return failAttempt(model, place, "unknown outcome", again);
}

/** What a worker says the provider said. */
export interface Outcome {
  readonly outcome: "accepted" | "failed" | "held" | "unknown";
  readonly code?: string | undefined;
  readonly delay_seconds?: number | null | undefined;
}

/** Writes an outcome down. Answers what the database does, or null where the worker's word is void. */
export function record(model: Model, place: Place, node: string, said: Outcome): string | null {
  const { account, video, attempt } = place;
  if (account.gone || attempt.status !== "claimed" || attempt.node !== node) return null;
  const mayPass = typeof said.delay_seconds === "number";
  switch (said.outcome) {
    case "accepted":
      Object.assign(attempt, {
        status: "processing",
        submittedAt: model.now,
        missingSince: null,
        deadline: model.now + RULES.renderDeadline,
        nextPoll: Math.min(attempt.nextPoll ?? Infinity, model.now + RULES.pollSteps[0]),
      });
      Object.assign(video, { stage: "analyzing", progress: 10 });
      return "accepted";
    case "failed":
      if (said.code === UNKNOWN_OUTCOME) return failUnknown(model, place);
      // A fresh attempt beside one that the provider may have could be a second purchase.
      if (attempt.maybeBought && mayPass) return hold(model, place, said);
      return failAttempt(model, place, "refused", said.delay_seconds ?? null);
    case "held":
    case "unknown":
      return hold(model, place, said);
  }
}

function hold(model: Model, { video, attempt }: Place, said: Outcome): "held" {
  const again = model.now + Math.min(Math.max(said.delay_seconds ?? 15, 1), RULES.longestHold);
  attempt.claims -= 1;
  attempt.leaseUntil = model.now;
  if (said.outcome === "unknown") model.happened.push("answer lost");
  if (attempt.maybeBought || said.outcome === "unknown") {
    doubt(attempt, model.now + RULES.pollSteps[2]);
  } else {
    Object.assign(attempt, { status: "pending", nextPoll: null });
    Object.assign(video, { status: "queued", stage: "initializing", progress: 0 });
  }
  enqueue(model, attempt, "submit-runware", again);
  return "held";
}

/** Ends an attempt that failed: another one after `delay` seconds, or the end of the video. */
export function failAttempt(
  model: Model,
  place: Place,
  cause: Cause,
  delay: number | null,
): "retried" | "failed" | "lost" {
  const { account, video, attempt } = place;
  if (account.gone || !isLive(attempt)) return "lost";
  Object.assign(attempt, { status: "failed", finishedAt: model.now, nextPoll: null, cause });
  model.happened.push(`attempt over: ${cause}`);
  if (delay === null || video.retries + 1 >= RULES.maxAttempts) {
    failVideo(model, video);
    return "failed";
  }
  Object.assign(video, { status: "queued", stage: "initializing", progress: 0 });
  video.retries += 1;
  addAttempt(model, video, delay);
  return "retried";
}

/** Fails a video for good: the whole price comes back, the user is told. */
export function failVideo(model: Model, video: Video): void {
  video.status = "failed";
  video.refund += video.price;
  video.notices.push("video_failed");
  endAttempts(model, video, "failed");
}

/** A poller leases the attempt. Answers whether it was due. */
export function lease(model: Model, { account, attempt }: Place): boolean {
  if (account.gone || !isDue(model, attempt)) return false;
  attempt.nextPoll = model.now + RULES.pollLease;
  attempt.polls += 1;
  return true;
}

/** What a poller says the provider said. */
export interface Settlement {
  readonly state: "succeeded" | "processing" | "unanswered" | "missing" | "failed";
  readonly code?: string | undefined;
  readonly kind?: string | undefined;
  readonly progress?: number | undefined;
  readonly retry_seconds?: number | null | undefined;
  /** When the poller leased the attempt. */
  readonly leasedAt?: number;
}

/** What an attempt that is over is over for, by the code it was settled with. */
const CAUSES: Readonly<Record<string, Cause>> = {
  [NOT_FOUND]: "missing",
  [WEBHOOK_CODE]: "a webhook's word",
};

/** Settles. Answers what the database does, or null where nothing changes that anyone is told of. */
export function settle(model: Model, place: Place, said: Settlement): string | null {
  const { account, video, attempt } = place;
  if (account.gone || !isIn(attempt, "claimed", "processing")) {
    // A failure ends an attempt that was held back, too: the provider had it all the same.
    if (account.gone || said.state !== "failed" || !isLive(attempt)) return null;
  }
  switch (said.state) {
    case "succeeded":
      Object.assign(attempt, { status: "completed", finishedAt: model.now, nextPoll: null });
      Object.assign(video, { status: "rendering", stage: "rendering", progress: 90 });
      enqueue(model, attempt, "store-video");
      return "rendering";
    case "failed":
      // Not known there yet: it may be on its way there right now, or have come there since.
      if (said.kind === "not_found") {
        const cameSince = said.leasedAt !== undefined && attempt.submittedAt >= said.leasedAt;
        if (attempt.status === "claimed" || cameSince) return null;
      }
      if (said.code === UNKNOWN_OUTCOME) return failUnknown(model, place);
      return failAttempt(
        model,
        place,
        CAUSES[said.code ?? ""] ?? "failed",
        said.retry_seconds ?? null,
      );
    case "processing":
    case "unanswered":
    case "missing":
      return isTooLate(model, attempt, said.state)
        ? failAttempt(model, place, "deadline", 5)
        : advance(model, place, said);
  }
}

/** The provider had its time: to finish, or an hour longer to say anything at all. */
function isTooLate(
  model: Model,
  { status, deadline }: Attempt,
  state: Settlement["state"],
): boolean {
  const more = state === "processing" ? 0 : RULES.silentDeadline;
  return status === "processing" && deadline + more <= model.now;
}

function advance(
  model: Model,
  { video, attempt }: Place,
  { state, progress = 0 }: Settlement,
): "progress" | null {
  if (attempt.nextPoll === null) return null;
  if (state === "processing") attempt.missingSince = null;
  if (state === "missing") attempt.missingSince ??= model.now;
  if (attempt.nextPoll > model.now) {
    const step = RULES.pollSteps[Math.min(attempt.polls, RULES.pollSteps.length - 1)] ?? 0;
    attempt.nextPoll = model.now + step;
  }
  const needed = video.stage === "generating"
    ? video.progress + 5
    : Math.max(15, video.progress + 1);
  if (attempt.status !== "processing" || progress < needed) return null;
  Object.assign(video, { stage: "generating", progress });
  return "progress";
}

/** Whether the attempt's file is still wanted; the copy begins. */
export function startStoring({ account, video, attempt }: Place): boolean {
  if (account.gone || attempt.status !== "completed" || video.status !== "rendering") return false;
  Object.assign(video, { stage: "finalizing", progress: 95 });
  return true;
}

/** The file is ours. Answers whether that completed the video. */
export function finishStoring({ account, video, attempt }: Place): boolean {
  if (account.gone || attempt.status !== "completed" || video.status !== "rendering") return false;
  Object.assign(video, { status: "completed", stage: "completed", progress: 100 });
  video.notices.push("video_ready");
  return true;
}

/** The file cannot be had. Answers whether that failed the video. */
export function failStoring(model: Model, { account, video }: Place): boolean {
  if (account.gone || video.status !== "rendering") return false;
  failVideo(model, video);
  return true;
}
