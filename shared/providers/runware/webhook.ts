/**
 * Reads what Runware posts to a webhook. It is not signed, comes twice, late or not at all, and in any
 * of several forms, so it is a doorbell: whoever is named here is asked about again.
 */
import type { TaskState } from "../provider.ts";
import { toldStates } from "./answers.ts";
import { readWebhook } from "./schemas.ts";

/** Where each task stands that the body speaks of; none for a body that speaks of no task. */
export function parseRunwareWebhook(body: unknown): TaskState[] {
  return toldStates(readWebhook(body));
}
