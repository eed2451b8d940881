/** Orders of videos, handed to the database. Those that come in while others are queued share a call. */
import { z } from "zod";
import type { Json } from "../db/database.types.ts";
import type { AdminClient } from "../http/admin_client.ts";
import { fromRpcError, wasUndone } from "../http/http_error.ts";
import { batched } from "../batched.ts";

/** What a user whose sign-in was checked asks for, in the words of queue_videos. */
export type Order = {
  readonly user_id: string;
  /** See app.draft_video. */
  readonly request: Json;
  /** Tells whether a repeated key comes with the same body. */
  readonly input_hash: string;
  readonly expected_seconds: number;
  /** The caller's own, or null: then it is placed under a new one, so that it is charged once. */
  readonly idempotency_key: string | null;
};

const queuedRow = z.object({
  video_id: z.guid(),
  estimated_completion: z.string(),
  estimated_seconds: z.number(),
  gem_cost: z.number(),
  title: z.string(),
  status: z.string(),
  provider: z.string(),
  model: z.string(),
  model_reason: z.string().nullable(),
  replayed: z.boolean(),
});
/** What the database answers for a queued video. */
export type QueuedRow = z.infer<typeof queuedRow>;

const answers = z.array(z.union([
  z.object({ video: queuedRow }),
  z.object({
    error: z.object({ code: z.string(), message: z.string(), details: z.string().nullable() }),
  }),
  z.object({ busy: z.literal(true) }),
]));
type Answer = z.infer<typeof answers>[number];

/**
 * Charges and queues one video; the same user, key and hash again answer the same one. Rejects with an
 * HttpError.
 */
export type PlaceOrder = (order: Order) => Promise<QueuedRow>;

/** Calls queue_videos and answers what it answers, an array. Rejects with an HttpError. */
export type QueueVideos = (
  orders: readonly Order[],
  options: { readonly wait: boolean },
) => Promise<unknown>;

/** Places the orders of an isolate over the REST API. */
export function orderPlacer(admin: () => Pick<AdminClient, "rpc">): PlaceOrder {
  return placeTogether(async (orders, { wait }) => {
    const { data, error } = await admin().rpc("queue_videos", {
      p_orders: [...orders],
      p_wait: wait,
    });
    if (error) throw fromRpcError(error);
    return data;
  });
}

/** Places orders through calls that those share which come in while others are under way. */
export function placeTogether(queueVideos: QueueVideos): PlaceOrder {
  const together = batched<Order, Answer>({
    most: 32,
    // While one waits for its commit, the other computes.
    callsAtOnce: 2,
    mayBeOneItemsFault: wasUndone,
    call: async (orders) => answers.parse(await queueVideos(orders, { wait: false })),
  });
  return async (asked) => {
    // Deno's fetch sends a call again by itself when a kept connection closes before the answer, which
    // may be after the commit. Under a key, the second is known for the first.
    const order = { ...asked, idempotency_key: asked.idempotency_key ?? crypto.randomUUID() };
    const first = await together(order);
    // A user's turn is waited for alone, where it holds up nobody else; for two seconds, and then it is 503.
    const answer = "busy" in first
      ? answers.parse(await queueVideos([order], { wait: true }))[0]
      : first;
    if (answer !== undefined && "error" in answer) throw fromRpcError(answer.error);
    if (answer === undefined || !("video" in answer)) throw new Error("An order has no answer");
    return answer.video;
  };
}
