/**
 * From Runway's answers to the outcomes of the port. Forms: `@runwayml/sdk` 4.20.1, resources/tasks and
 * resources/image-to-video. Nothing is trusted: an answer in a form we do not know is no news.
 */
import { z } from "zod";
import { roundUsd } from "../../domain/usd.ts";
import { unreadable } from "../answer_text.ts";
import type { HttpAnswer } from "../http.ts";
import { link, text } from "../lenient.ts";
import type { CancelOutcome, SubmitOutcome, TaskState } from "../provider.ts";
import { kindOfFailure, toProviderError } from "./errors.ts";

/** USD of one credit (docs.dev.runwayml.com/guides/pricing). */
const CREDIT_USD = 0.01;

const created = z.object({ id: z.guid() });
const cost = z.object({ credits: z.number().nonnegative() }).optional().catch(undefined);
type Cost = z.infer<typeof cost>;

const task = z.discriminatedUnion("status", [
  z.object({ status: z.literal(["PENDING", "THROTTLED"]) }),
  z.object({
    status: z.literal("RUNNING"),
    progress: z.number().min(0).max(1).optional().catch(undefined),
  }),
  z.object({ status: z.literal("SUCCEEDED"), output: z.tuple([link], z.unknown()), cost }),
  z.object({
    status: z.literal("FAILED"),
    failure: text,
    failureCode: text,
    cost,
  }),
  z.object({ status: z.literal("CANCELLED"), cost }),
]);

/** What became of one create call. Only a plain refusal means that nothing was bought. */
export function submitOutcome(id: string, answer: HttpAnswer): SubmitOutcome {
  if (answer.status < 300) {
    const { data } = created.safeParse(answer.json);
    if (data !== undefined) return { id, outcome: "accepted", providerTaskId: data.id };
    return { id, outcome: "unknown", error: unreadable("Runway named no task", answer.raw) };
  }
  const error = toProviderError(answer);
  if (error.kind === "server") return { id, outcome: "unknown", error };
  // There is no task yet that could be unknown: it is the model, or the way to make it.
  const kind = error.kind === "not_found" ? "model_off" : error.kind;
  return { id, outcome: "refused", error: { ...error, kind } };
}

/** Where one task stands. */
export function polledState(id: string, answer: HttpAnswer): TaskState {
  if (answer.status >= 300) {
    const error = toProviderError(answer);
    return { id, state: error.kind === "not_found" ? "missing" : "unanswered", error };
  }
  const { data } = task.safeParse(answer.json);
  if (data === undefined) {
    return {
      id,
      state: "unanswered",
      error: unreadable("Runway's task says nothing known", answer.raw),
    };
  }
  switch (data.status) {
    case "PENDING":
    case "THROTTLED":
      return { id, state: "processing" };
    case "RUNNING":
      return {
        id,
        state: "processing",
        ...(data.progress === undefined ? {} : { progress: data.progress * 100 }),
      };
    case "SUCCEEDED": {
      const [videoUrl] = data.output;
      return {
        id,
        state: "succeeded",
        videoUrl,
        ...billed(data),
      };
    }
    case "FAILED":
      return failed(id, data, answer.raw);
    case "CANCELLED":
      return {
        id,
        state: "failed",
        error: {
          kind: "not_found",
          code: "CANCELLED",
          message: "The task was cancelled",
          raw: answer.raw,
        },
        ...billed(data),
      };
  }
}

/** What became of asking to stop a task. A finished one is deleted by the same call. */
export function cancelOutcome(answer: HttpAnswer): CancelOutcome {
  if (answer.status < 300) return { outcome: "cancelled" };
  const error = toProviderError(answer);
  return { outcome: error.kind === "not_found" ? "missing" : "unknown", error };
}

function failed(
  id: string,
  { failure, failureCode, cost }: {
    readonly failure?: string | undefined;
    readonly failureCode?: string | undefined;
    readonly cost?: Cost;
  },
  raw: unknown,
): TaskState {
  const message = failure ?? "Runway gave no reason";
  const error = { kind: kindOfFailure(failureCode), code: failureCode ?? "FAILED", message, raw };
  return { id, state: "failed", error, ...billed({ cost }) };
}

/** What a task that is over has cost; what moderation refuses is billed, too. */
function billed({ cost }: { readonly cost?: Cost }): { costUsd?: number } {
  return cost === undefined ? {} : { costUsd: creditsToUsd(cost.credits) };
}

/** Credits in USD. */
export function creditsToUsd(credits: number): number {
  return roundUsd(credits * CREDIT_USD);
}
