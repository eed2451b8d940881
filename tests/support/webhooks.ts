/** Being Runware for a moment: posting to the webhook of a job. */
import { webhookToken } from "../../shared/http/webhook_token.ts";
import { type Answer, call } from "./app.ts";
import type { HandStack } from "./by_hand.ts";
import { value } from "./fixtures.ts";
import { keysOf } from "./tokens.ts";

/** The token in the webhook URL of a job. */
export async function tokenOf(app: HandStack, jobId: string): Promise<string> {
  return await webhookToken((await keysOf(app)).webhookSecret, jobId);
}

/** Posts as Runware would: no key, no JWT, a token in the URL. */
export function postWebhook(
  app: HandStack,
  { job, token, body = "{}" }: { job: string; token: string; body?: BodyInit },
): Promise<Answer> {
  return call(app, `runware-webhook?job=${job}&token=${token}`, { body });
}

/** What Runware posts about a task that ended well. */
export function successOf(
  taskUUID: string,
  videoURL = "https://vm.runware.ai/video/forged.mp4",
): string {
  const item = { taskType: "videoInference", taskUUID, status: "success", videoUUID: taskUUID };
  return JSON.stringify({ data: [{ ...item, videoURL }] });
}

/** How many events were recorded. */
export function eventCount(app: HandStack): Promise<unknown> {
  return value(app.db, "select count(*)::int as value from public.provider_events");
}
