/** From what a provider said about an attempt to what the rows keep of it. Pure. */
import type { DuePoll, SettleRecord } from "../db/poll_calls.ts";
import { findModel, type ModelSpec } from "../domain/models.ts";
import { estimateProgress, etaSeconds } from "../domain/progress.ts";
import { USUAL_RENDER_SECONDS } from "../domain/render_seconds.ts";
import { type ProviderError, RESULT_UNREADABLE, type TaskState } from "../providers/provider.ts";
import { decideAbout, failureRecord } from "./failure.ts";

/** A provider may not know a task yet that it accepted a moment ago. */
export const MISSING_GRACE_SECONDS = 90;

/** What one server of theirs has not heard of, or not yet, another may know: once is no end. */
const MISSING_SECONDS = 120;

/** The end of an attempt of which nobody can say whether it was bought. */
const UNKNOWN_OUTCOME = "unknown_outcome";

/** What settling needs to know of the provider. */
export interface SettlementTools {
  readonly models: readonly ModelSpec[];
  /** Whether its tasks have ids of ours. */
  readonly choosesTaskId: boolean;
}

/** What the rows are to say of an attempt after this answer, or after none. */
export function settlement(
  poll: DuePoll,
  state: TaskState | undefined,
  { models, choosesTaskId }: SettlementTools,
): SettleRecord {
  const video_job_id = poll.video_job_id;
  if (poll.quiet) return { video_job_id, state: "estimated", ...progressOf(poll, models) };
  switch (state?.state) {
    case "succeeded":
      return {
        video_job_id,
        state: "succeeded",
        video_url: state.videoUrl,
        cost_usd: state.costUsd ?? null,
      };
    case "processing":
      return { video_job_id, state: "processing", ...progressOf(poll, models, state.progress) };
    case "failed":
      return {
        ...failure(poll, "failed", state.error),
        ...(state.costUsd === undefined ? {} : { cost_usd: state.costUsd }),
      };
    case "missing":
      if (!isLost(poll)) return { video_job_id, state: "missing" };
      // It was taken, so it may have been paid for, and under another id it would be paid for again:
      // whether that is to be done is the operator's to say.
      return {
        ...failure(poll, "missing", state.error),
        ...(choosesTaskId ? {} : { code: UNKNOWN_OUTCOME }),
      };
    case "unanswered":
      if (poll.overdue && state.error.code === RESULT_UNREADABLE) {
        // Made and paid for: another one would come in the same form. The operator may find the file in it.
        return { ...failure(poll, "failed", state.error), retry_seconds: null };
      }
      return { video_job_id, state: "unanswered" };
    case undefined:
      return { video_job_id, state: "unanswered" };
  }
}

function isLost({ seconds_running, missing_seconds }: DuePoll): boolean {
  return seconds_running >= MISSING_GRACE_SECONDS && (missing_seconds ?? 0) >= MISSING_SECONDS;
}

function progressOf(poll: DuePoll, models: readonly ModelSpec[], providerProgress?: number) {
  const rendering = {
    elapsedSeconds: poll.seconds_running,
    medianSeconds: poll.median_seconds ??
      findModel(models, poll.model)?.renderSeconds ?? USUAL_RENDER_SECONDS,
    ...(providerProgress === undefined ? {} : { providerProgress }),
  };
  return {
    progress: estimateProgress({ ...rendering, floor: poll.progress }),
    eta_seconds: etaSeconds(rendering),
  };
}

function failure(
  poll: DuePoll,
  ending: "failed" | "missing",
  error: ProviderError,
): Extract<SettleRecord, { state: "failed" }> {
  const decision = decideAbout(ending, error, poll.attempt);
  return {
    video_job_id: poll.video_job_id,
    state: "failed",
    ...failureRecord(error),
    retry_seconds: decision.action === "fail" ? null : decision.delaySeconds,
    leased_at: poll.leased_at,
  };
}
