/** Every function that apps call: what it takes and what it answers. */
import { z } from "zod";
import {
  cancelledAnswer,
  deletedAnswer,
  queuedAnswer,
  quoteAnswer,
} from "../../shared/doors/answers.ts";
import { cancelVideoBody } from "../../shared/doors/cancel_video.ts";
import { deleteAccountBody } from "../../shared/doors/delete_account.ts";
import { idempotencyKeySchema } from "../../shared/doors/fields.ts";
import { checkClipsBody, generateClipsBody } from "../../shared/doors/generate_clips.ts";
import { clipsAnswer } from "../../shared/doors/project_clips.ts";
import { generateVideoBody, taskAnswer, taskQuery } from "../../shared/doors/generate_video.ts";
import { waitedAnswer, waitVideoBody } from "../../shared/doors/wait_video.ts";
import { errorTypes } from "../../shared/domain/error_types.ts";
import { errorAnswer } from "../../shared/http/error_answer.ts";
import { queueRequestSchema } from "../../shared/doors/request_kinds.ts";
import { statusAnswer, statusQuery } from "../../shared/doors/video_status.ts";
import { revList } from "../../shared/status/cursor.ts";

/** A schema and the name it goes by in the document. */
export interface Named {
  readonly name: string;
  readonly schema: z.ZodType;
}

/** One function. */
export interface Operation {
  /** The function's folder. */
  readonly path: string;
  /** Where a function has several operations; else made of the path. */
  readonly id?: string;
  readonly method: "get" | "post";
  readonly summary: string;
  readonly description: string;
  readonly query?: z.ZodObject;
  readonly headers?: Readonly<Record<string, { schema: z.ZodType; description: string }>>;
  readonly body?: Named;
  /** By status. */
  readonly answers: Readonly<Record<number, Named & { description: string }>>;
  /** The form of its refusals, where it has more than every function's. */
  readonly error?: Named;
  /** Statuses of refusals beside those of every function, and their codes. */
  readonly refusals: Readonly<Record<number, string>>;
}

/** Refusals that every function has. */
export const COMMON_REFUSALS: Readonly<Record<number, string>> = {
  400: "invalid_request, malformed_body: details name each field",
  401: "unauthorized: no access token, or an expired one",
  405: "method_not_allowed",
  500: "internal_error: tell us the request_id",
  503: "unavailable: try again after Retry-After seconds",
};

const TASK: Named = { name: "Task", schema: taskAnswer };
const TYPED_ERROR: Named = {
  name: "TypedError",
  schema: errorAnswer.extend({ error_type: z.enum(errorTypes) }),
};
const CLIPS: Named = { name: "Clips", schema: clipsAnswer };

/** All of them, in the order a reader wants. */
export const operations: readonly Operation[] = [
  {
    path: "queue-video",
    method: "post",
    summary: "Charges the gems and queues a video",
    description:
      "Sent again with the same Idempotency-Key it answers the same video and charges nothing. With `quote: true` it answers the price alone.",
    headers: {
      "idempotency-key": { schema: idempotencyKeySchema, description: "A new one for each tap." },
    },
    // The hosts of a deployment are a matter of its settings, and no part of the schema.
    body: { name: "QueueRequest", schema: queueRequestSchema({ imageHosts: [] }) },
    answers: {
      200: { name: "Quote", schema: quoteAnswer, description: "The price. Nothing was charged." },
      201: { name: "Queued", schema: queuedAnswer, description: "Charged and queued." },
    },
    refusals: {
      402: "insufficient_gems: details tell gem_balance and gem_cost",
      403: "not_yours, consent_required",
      404: "not_found: details name the field",
      409: "idempotency_key_reused: with another body",
      413: "body_too_large",
      422:
        "unsupported_option: details name the field and what is allowed; content_refused: not for small children",
      429: "queue_limit, daily_limit: Retry-After says when",
    },
  },
  {
    path: "video-status",
    method: "get",
    summary: "Where videos stand",
    description:
      "With `wait` the answer comes when something is newer than `rev` (without it: than at the call), or when the time is up. With `Accept: text/event-stream` it is a stream of the events `video` (data: Video), `gone` (data: {video_id}) and, last, `end` (data: {reason: over | reconnect}); each id is what to send as Last-Event-ID or `rev` later. 204 where a stream would have nothing to tell, ever. Videos of others are left out. Without `video_id` it is about all that you have under way when you ask, in each of these forms; `rev` and Last-Event-ID go with ids.",
    query: statusQuery,
    headers: {
      "last-event-id": { schema: revList, description: "Of a stream: the same as `rev`." },
    },
    answers: {
      200: {
        name: "VideoStatus",
        schema: statusAnswer,
        description: "The videos, with fresh links to what is finished.",
      },
    },
    refusals: {
      404: "not_found: none of these is a video of yours",
      502: "storage_unavailable",
    },
  },
  {
    path: "cancel-video",
    method: "post",
    summary: "Cancels a video and gives gems back",
    description: "While it is queued all gems come back; afterwards what the operator has set.",
    body: { name: "CancelRequest", schema: cancelVideoBody },
    answers: {
      200: { name: "Cancelled", schema: cancelledAnswer, description: "Cancelled." },
    },
    refusals: {
      404: "not_found",
      409: "not_possible_now: the file is being stored, or the video is over",
      413: "body_too_large",
    },
  },
  {
    path: "generate-clips",
    method: "post",
    summary: "Makes the clips of a project's scenes",
    description:
      "Charges and queues what is missing, failed or was changed, all or none, and waits a while for clips that are fast. Sent again it charges nothing for what is made or under way.",
    body: { name: "GenerateClipsRequest", schema: generateClipsBody },
    answers: { 200: { ...CLIPS, description: "How the clips stand when the wait is over." } },
    refusals: {
      402: "insufficient_gems",
      404: "not_found: no project of yours",
      413: "body_too_large",
      422:
        "unsupported_option: details name the scene's field, as in frames.3.last_frame; content_refused: not for small children",
      429: "queue_limit, daily_limit",
      502: "storage_unavailable",
    },
  },
  {
    path: "check-clips-status",
    method: "post",
    summary: "How a project's clips stand",
    description: "The same answer as generate-clips, at once, and charges nothing.",
    body: { name: "CheckClipsRequest", schema: checkClipsBody },
    answers: { 200: { ...CLIPS, description: "How the clips stand." } },
    refusals: {
      404: "not_found: no project of yours",
      413: "body_too_large",
      502: "storage_unavailable",
    },
  },
  {
    path: "generate-video",
    method: "post",
    summary: "Makes a video from words at Runway",
    description: "Charges and queues. What Runway cannot do is refused, never left out.",
    headers: {
      "idempotency-key": { schema: idempotencyKeySchema, description: "A new one for each tap." },
    },
    body: { name: "GenerateVideoRequest", schema: generateVideoBody },
    answers: { 201: { ...TASK, description: "Charged and queued." } },
    error: TYPED_ERROR,
    refusals: {
      402: "insufficient_gems",
      404: "not_found: the account is deleted",
      409: "idempotency_key_reused: with another body",
      413: "body_too_large",
      422:
        "unsupported_option: details name the field, as in config.codec; content_refused: not for small children",
      429: "queue_limit, daily_limit",
      502: "storage_unavailable: of a request that is repeated",
      503:
        "unavailable: try again after Retry-After seconds; provider_unavailable: Runway is not switched on",
    },
  },
  {
    path: "generate-video",
    id: "checkVideo",
    method: "get",
    summary: "How a task stands",
    description: "At once.",
    query: taskQuery,
    answers: { 200: { ...TASK, description: "The task." } },
    error: TYPED_ERROR,
    refusals: { 404: "not_found: no task of yours", 502: "storage_unavailable" },
  },
  {
    path: "wait-video",
    method: "post",
    summary: "Waits for a task",
    description:
      "Answers as soon as it is over, or when as many looks as asked for would have been taken, within two minutes in any case.",
    body: { name: "WaitVideoRequest", schema: waitVideoBody },
    answers: {
      200: {
        name: "Waited",
        schema: waitedAnswer,
        description: "The task, and whether it is over.",
      },
    },
    error: TYPED_ERROR,
    refusals: {
      404: "not_found: no task of yours",
      413: "body_too_large",
      502: "storage_unavailable",
    },
  },
  {
    path: "delete-account",
    method: "post",
    summary: "Forgets the caller",
    description: "All rows are gone with the answer, files and the sign-in within minutes.",
    body: { name: "DeleteAccountRequest", schema: deleteAccountBody },
    answers: {
      202: { name: "AccountDeleted", schema: deletedAnswer, description: "Deleted." },
    },
    refusals: { 413: "body_too_large" },
  },
];
