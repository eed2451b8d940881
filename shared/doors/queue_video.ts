/** Queueing a video: checks the request, then one call of the database does all of it or nothing. */
import { z } from "zod";
import type { ModelSpec } from "../domain/models.ts";
import { parseFields, readJson } from "../http/body.ts";
import type { UserVisit } from "../http/door.ts";
import { HttpError } from "../http/http_error.ts";
import type { Moderator } from "../moderation/moderator.ts";
import type { Maker } from "../domain/market.ts";
import type { QueuedAnswer } from "./answers.ts";
import type { DraftRequest } from "./draft_request.ts";
import { idempotencyKeySchema } from "./fields.ts";
import type { PlaceOrder, QueuedRow } from "./queue_orders.ts";
import type { ChooseSchema } from "./queue_request.ts";
import { requestHash } from "./request_hash.ts";
import type { QueueRequest } from "./request_kinds.ts";
import { rhymeDraft } from "./rhyme_draft.ts";

/** What this deployment allows. */
export interface QueueVideoConfig {
  /** The project's own address, where children's pictures are. */
  readonly projectUrl: string;
  readonly body: ChooseSchema;
  /** What all providers here can make. */
  readonly makers: () => Promise<readonly Maker[]>;
  readonly modelsOf: (provider: string) => Promise<readonly ModelSpec[]>;
  /** Who judges callers' own words. */
  readonly moderator: () => Promise<Moderator>;
  readonly placeOrder: PlaceOrder;
}

/**
 * POST queue-video. 201 for a new video and for each repetition of the same request; 200 with the price
 * and no charge where the body says `quote: true`.
 */
export async function queueVideo(
  request: Request,
  visit: UserVisit,
  config: QueueVideoConfig,
): Promise<Response> {
  const key = idempotencyKey(request);
  const body = await readJson(request, config.body, { most: 65_536 });
  if (body.user_id !== undefined && body.user_id !== visit.userId.toLowerCase()) {
    throw new HttpError(403, "not_yours", "user_id is not the signed-in user", {
      details: [{ field: "user_id", message: "is not the signed-in user" }],
    });
  }
  const asked = await askedFor(body, visit, config);
  if (body.quote === true) return await (await import("./quote_video.ts")).quoteVideo(visit, asked);
  return await queue(visit, asked, { hash: await requestHash(body), key }, config.placeOrder);
}

async function askedFor(
  body: QueueRequest,
  visit: UserVisit,
  config: QueueVideoConfig,
): Promise<DraftRequest> {
  if ("rhyme_id" in body) return await rhymeDraft(body, visit, config);
  // Judging words and choosing a model take what a rhyme as it stands starts without.
  const { wordsDraft } = await import("./words_draft.ts");
  return await wordsDraft(body, visit.admin(), config);
}

/** The Idempotency-Key of a request, or null. 400 where it is none. */
export function idempotencyKey(request: Request): string | null {
  const key = request.headers.get("idempotency-key");
  if (key === null) return null;
  parseFields({ "Idempotency-Key": key }, z.object({ "Idempotency-Key": idempotencyKeySchema }));
  return key;
}

async function queue(
  visit: UserVisit,
  asked: DraftRequest,
  once: { hash: string; key: string | null },
  placeOrder: PlaceOrder,
): Promise<Response> {
  const { title, status, replayed, estimated_seconds: _, model_reason, ...video } = await queueOne(
    visit,
    asked,
    once,
    placeOrder,
  );
  // What was ordered some time ago may be made, or refunded, by now.
  const message = replayed && status !== "queued"
    ? `"${title}" was ordered before. Nothing more was charged.`
    : `"${title}" is in the queue. It costs ${gems(video.gem_cost)}.`;
  return Response.json(
    {
      success: true,
      ...video,
      ...(model_reason === null ? {} : { reason: model_reason }),
      message,
    } satisfies QueuedAnswer,
    { status: 201 },
  );
}

function gems(count: number): string {
  return count === 1 ? "1 gem" : `${count} gems`;
}

/** Charges and queues one video; with the same key and hash again, answers the same one. */
export async function queueOne(
  visit: UserVisit,
  { request, expectedSeconds }: DraftRequest,
  { hash, key }: { hash: string; key: string | null },
  placeOrder: PlaceOrder,
): Promise<QueuedRow> {
  const video = await placeOrder({
    user_id: visit.userId,
    request,
    input_hash: hash,
    expected_seconds: expectedSeconds,
    idempotency_key: key,
  });
  visit.log.info("Queued", { video_id: video.video_id, replayed: video.replayed });
  return video;
}
