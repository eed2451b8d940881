/** From Runware's answers to the outcomes of the port: exactly one for each task asked about. */
import { unreadable, unreadableResult } from "../answer_text.ts";
import type { ErrorKind, ProviderError, SubmitOutcome, TaskState } from "../provider.ts";
import type { Answer } from "./client.ts";
import { toProviderError } from "./errors.ts";
import type { Envelope, ErrorItem, TaskItem } from "./schemas.ts";

/** Codes that say our id was taken before: by us, since nobody else has it. */
const takenBefore = /^(conflict|duplicate)task_?uuid$/i;
/** Codes with which Runware says that it has no such task, or no longer has what it made. */
const lostCodes = new Set(["tasknotfound", "taskexpired", "taskfailedornotfound", "mediaexpired"]);
/** Documented is "processing"; the others cost nothing to understand. */
const runningStatuses = new Set(["processing", "pending", "queued", "running", "in_progress"]);
/** Documented is "success". */
const madeStatuses = new Set(["success", "succeeded", "completed", "done"]);
/** Kinds that speak of us and not of a task: the whole call was turned away at the door. */
const aboutUs: ReadonlySet<ErrorKind> = new Set(["auth", "balance", "rate"]);
/** Kinds that speak of what is in a task, even where the task is not named. */
const aboutInput: ReadonlySet<ErrorKind> = new Set([
  "validation",
  "safety",
  "model_off",
  "not_found",
]);

/** What became of one task that was part of a submit call. */
export function submitOutcome(id: string, answer: Answer): SubmitOutcome {
  const key = id.toLowerCase();
  const own = answer.errors.filter((error) => error.taskUUID === key);
  // Any word that it was taken wins: believing so costs a poll, doubting it may cost a second video.
  if (own.some(isTakenBefore) || answer.items.some((item) => item.taskUUID === key)) {
    return accepted(id);
  }
  if (own[0] !== undefined) return targeted(id, own[0], answer);
  const whole = untargeted(answer);
  if (whole !== undefined) return turnedAway(id, whole, answer);
  // A success that names nobody means everybody (seen in the field). One that names others only does
  // not: handing this task in again is safe, believing it was taken is not.
  const namesNobody = answer.items.length === 0 && answer.errors.length === 0;
  if (answer.status < 300 && namesNobody) return accepted(id);
  return { id, outcome: "unknown", error: silence(answer) };
}

/** Where one task stands, by an answer to getResponse. */
export function polledState(id: string, answer: Answer): TaskState {
  const key = id.toLowerCase();
  const items = answer.items.filter((item) => item.taskUUID === key);
  const errors = answer.errors.filter((error) => error.taskUUID === key);
  const notAllowed = errors.find((error) => isAboutThisCall(error, answer));
  if (notAllowed !== undefined) {
    return { id, state: "unanswered", error: toError(notAllowed, answer) };
  }
  if (items.length > 0 || errors.length > 0) {
    return stateOf(id, items, errors, (error) => toError(error, answer));
  }
  return { id, state: "unanswered", error: untargeted(answer) ?? silence(answer) };
}

/** Where every task stands that a webhook speaks of. */
export function toldStates(told: Envelope): TaskState[] {
  const ids = [...told.items, ...told.errors].map((item) => item.taskUUID).filter(isTaskId);
  return [...new Set(ids)].map((id) =>
    stateOf(
      id,
      told.items.filter((item) => item.taskUUID === id),
      told.errors.filter((error) => error.taskUUID === id),
      (error) => toProviderError(error),
    )
  );
}

/** True where Runware turned us away at the door (key, account, pace), so that nothing was bought. */
export function isAboutUs({ kind }: ProviderError): boolean {
  return aboutUs.has(kind);
}

/** The error that is about the whole call, where there is one. */
function untargeted(answer: Answer): ProviderError | undefined {
  const error = answer.errors.find((one) => one.taskUUID === undefined);
  return error === undefined ? undefined : toError(error, answer);
}

/**
 * True where Runware turned the whole call away because of something in it without naming the task, so
 * that nothing was bought. One bad task then hides the others; asking about fewer at a time finds it.
 */
export function blamesSomeTask(answer: Answer): boolean {
  const whole = untargeted(answer);
  return whole !== undefined && isStoppedByInput(whole, answer);
}

/** True where one id may have kept all others from being answered; a code that is new may say so. */
export function blamesSomeId(answer: Answer): boolean {
  const whole = untargeted(answer);
  if (whole === undefined || answer.items.length > 0) return false;
  return aboutInput.has(whole.kind) || whole.kind === "unknown";
}

/** One task's state from all that is said about it; with several results the finished ones count. */
function stateOf(
  id: string,
  items: readonly TaskItem[],
  errors: readonly ErrorItem[],
  toErrorOf: (error: ErrorItem) => ProviderError,
): TaskState {
  const running = items.find(isRunning);
  if (running !== undefined) {
    const { progress } = running;
    return { id, state: "processing", ...(progress === undefined ? {} : { progress }) };
  }
  const costUsd = totalCost(items);
  const billed = costUsd === undefined ? {} : { costUsd };
  const flagged = items.find((item) => item.isFlagged);
  if (flagged !== undefined) return { id, state: "failed", error: unfit(flagged), ...billed };
  const videoUrl = items.find((item) => item.videoUrl !== undefined)?.videoUrl;
  if (videoUrl !== undefined) {
    return { id, state: "succeeded", videoUrl, ...billed };
  }
  const [failure] = errors;
  if (failure === undefined) {
    const made = items.find(({ status }) => status !== undefined && madeStatuses.has(status));
    const error = made === undefined
      ? unreadable("Runware's item says nothing known", items[0]?.raw)
      : unreadableResult("Runware finished a task and gave no link", made.raw);
    return { id, state: "unanswered", error };
  }
  const state = lostCodes.has(failure.code.toLowerCase()) ? "missing" : "failed";
  return { id, state, error: toErrorOf(failure) };
}

function targeted(id: string, item: ErrorItem, answer: Answer): SubmitOutcome {
  const error = toError(item, answer);
  return { id, outcome: isInDoubt(error, answer) ? "unknown" : "refused", error };
}

/** An API in trouble, or that waited in vain for another, may have taken the task before it fell over. */
function isInDoubt({ kind }: ProviderError, { status }: Answer): boolean {
  if (kind === "server" || kind === "timeout") return true;
  return (kind === "provider" || kind === "unknown") && (status >= 500 || status === 408);
}

function turnedAway(id: string, error: ProviderError, answer: Answer): SubmitOutcome {
  if (isAboutUs(error)) return { id, outcome: "refused", error };
  // A lack of room stops it too, whatever its status: a task that no server had room for runs nowhere.
  const stopped = isStoppedByInput(error, answer) ||
    (error.kind === "unavailable" && answer.items.length === 0);
  return { id, outcome: stopped ? "refused" : "unknown", error };
}

/** With nothing taken at all, an error in the input stopped the call before anything was bought. */
function isStoppedByInput({ kind }: ProviderError, { items, status }: Answer): boolean {
  return items.length === 0 && aboutInput.has(kind) && status < 500;
}

function isTakenBefore({ code }: ErrorItem): boolean {
  return takenBefore.test(code);
}

function accepted(id: string): SubmitOutcome {
  return { id, outcome: "accepted", providerTaskId: id };
}

/**
 * An error that names our task but was caused by the asking: a refused key, too many calls, an API in
 * trouble, a question that Runware would not take. A render fails under its own task type.
 */
function isAboutThisCall(item: ErrorItem, answer: Answer): boolean {
  const { kind } = toError(item, answer);
  return kind === "auth" || (kind === "rate" && answer.status === 429) ||
    (kind === "server" && answer.status >= 500) ||
    (kind === "validation" && item.taskType === "getResponse");
}

/** Made, paid for, and not for children. */
function unfit({ raw }: TaskItem): ProviderError {
  const message = "Runware looked at the finished video and flagged it";
  return { kind: "safety", code: "NSFWContent", message, raw };
}

function isRunning(item: TaskItem): boolean {
  return item.status !== undefined && runningStatuses.has(item.status);
}

function totalCost(items: readonly TaskItem[]): number | undefined {
  const costs = items.map((item) => item.costUsd).filter((cost) => cost !== undefined);
  return costs.length === 0 ? undefined : costs.reduce((sum, cost) => sum + cost, 0);
}

function toError(error: ErrorItem, answer: Answer): ProviderError {
  return toProviderError(error, answer);
}

function silence(answer: Answer): ProviderError {
  return unreadable("Runware's answer does not mention this task", answer.raw);
}

function isTaskId(id: string | undefined): id is string {
  return id !== undefined && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id);
}
