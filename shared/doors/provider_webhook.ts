/**
 * A provider's webhook: a doorbell. The token says the call is real, the body is kept, the attempt
 * becomes due, the poller is rung. What the body says is not believed.
 */
import { z } from "zod";
import type { WebhookConfig } from "../config.ts";
import { sha256Hex } from "../hex.ts";
import { readText } from "../http/body.ts";
import { HttpError } from "../http/http_error.ts";
import type { PlainVisit } from "../http/plain_door.ts";
import { isWebhookToken } from "../http/webhook_token.ts";
import type { TaskState } from "../providers/provider.ts";
import { storable, storableText } from "../storable.ts";
import type { RecordEvent } from "./provider_events.ts";

/** Largest body taken, in bytes; a real one has a few hundred. */
const BODY_MAX = 262_144;

/** Whose webhooks come in, and how they are told from others. */
export interface WebhookSource {
  readonly webhook: WebhookConfig;
  /** Where they are written down. */
  readonly record: RecordEvent;
  /** Whether the provider's own signature is true, where it signs. Asked after the token was. */
  readonly isSigned?: (headers: Headers, body: string) => Promise<boolean>;
  /**
   * The tasks a body names, where their ids are the provider's: of a create that was never
   * answered, the only word.
   */
  readonly tasksIn?: (body: unknown) => readonly TaskState[];
}

/** Characters of a task's id that are kept; real ones have some dozens. */
const TASK_ID_MAX = 200;

/**
 * POST <provider>-webhook?job=<video job id>&token=<HMAC>. 200 whatever the body says, 401 without a
 * true token, and a true signature where the provider signs.
 */
export async function providerWebhook(
  request: Request,
  visit: PlainVisit,
  { webhook, record, isSigned, tasksIn = () => [] }: WebhookSource,
): Promise<Response> {
  const { searchParams } = new URL(request.url);
  const job = searchParams.get("job") ?? "";
  const token = searchParams.get("token") ?? "";
  const jobId = z.guid().safeParse(job);
  if (!jobId.success || !await isWebhookToken(webhook.secrets, jobId.data, token)) {
    throw new HttpError(401, "unauthorized", "The token does not belong to this job");
  }
  const text = await readText(request, BODY_MAX, { lenient: true });
  if (isSigned !== undefined && !await isSigned(request.headers, text)) {
    throw new HttpError(401, "unauthorized", "The signature is missing, old or not the provider's");
  }
  const payload = payloadOf(text);
  const [task] = tasksIn(payload).filter(({ id }) => id.length <= TASK_ID_MAX);
  const outcome = await record({
    video_job_id: jobId.data,
    hash: await sha256Hex(`${jobId.data}\n${text}`),
    payload,
    ...(task === undefined ? {} : { task_id: task.id, task_state: task.state }),
  });
  visit.log.info(
    outcome.known ? "Webhook" : "Webhook for a job we do not know",
    {
      video_job_id: jobId.data,
      ...outcome,
    },
  );
  return Response.json({ success: true });
}

/** What is kept: the JSON as sent, or the text where it is none or too deep to be from a provider. */
function payloadOf(text: string): { body: string } | NonNullable<unknown> {
  try {
    const value = storable(JSON.parse(text));
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Kept as text below.
  }
  return { body: storableText(text) };
}
