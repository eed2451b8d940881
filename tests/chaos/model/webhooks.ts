/** What webhooks say: nothing that anybody can read, the truth, or what somebody made up. */
import { z } from "zod";
import type { TaskState } from "../../../shared/providers/provider.ts";
import { problem, type Provider } from "./provider.ts";

/** What a webhook says. */
export const TIDINGS = [
  "a ring",
  "the truth",
  "forged: a success elsewhere",
  "forged: a failure",
  "forged: another task's success",
] as const;
/** What a webhook says. */
export type Tidings = typeof TIDINGS[number];

/** The code of a failure that only a webhook speaks of. */
export const WEBHOOK_CODE = "told_by_webhook";

/** The body of a webhook about an attempt. */
export interface WebhookBody {
  readonly says: Tidings;
  readonly states: readonly TaskState[];
}

/** A body about the attempt as the provider, or whoever forges it, would send it now. */
export function bodyOf(attempt: string, says: Tidings, provider: Provider): WebhookBody {
  const id = provider.tasks.findLast((task) => task.attempt === attempt)?.id ?? attempt;
  switch (says) {
    case "a ring":
      return { says, states: [] };
    case "the truth":
      return { says, states: [provider.stateOf(id)] };
    case "forged: a success elsewhere":
      return {
        says,
        states: [{ id, state: "succeeded", videoUrl: "https://elsewhere.example/1" }],
      };
    case "forged: a failure": {
      const error = { ...problem("provider", "Forged"), code: WEBHOOK_CODE };
      return { says, states: [{ id, state: "failed", error }] };
    }
    case "forged: another task's success": {
      const other = provider.tasks.find((task) => task.attempt !== attempt);
      const state = other === undefined ? [] : [provider.stateOf(other.id)];
      return { says, states: state };
    }
  }
}

const body = z.object({ states: z.array(z.custom<TaskState>()) });

/** Where tasks stand by a body; none where it cannot be read. */
export function statesIn(payload: unknown): TaskState[] {
  return body.safeParse(payload).data?.states ?? [];
}
