/** What the doors for apps answer when all is well. docs/openapi.json is made from these. */
import { z } from "zod";

const success = z.literal(true);
const gems = z.int();

/** `queue-video`: 201. */
export const queuedAnswer = z.object({
  success,
  video_id: z.guid(),
  estimated_completion: z.iso.datetime(),
  gem_cost: gems,
  provider: z.string(),
  model: z.string(),
  reason: z.string().optional().meta({ description: "Why this model, where the choice was ours." }),
  message: z.string().meta({ description: "A sentence for people." }),
});
/** A queued video. */
export type QueuedAnswer = z.infer<typeof queuedAnswer>;

/** `queue-video` with `quote: true`: 200. */
export const quoteAnswer = z.object({
  success,
  quote: z.object({
    title: z.string(),
    gem_cost: gems,
    gem_balance: gems.nullable(),
    provider: z.string(),
    model: z.string(),
    reason: z.string().optional(),
  }),
});
/** A price. */
export type QuoteAnswer = z.infer<typeof quoteAnswer>;

/** `cancel-video`: 200. */
export const cancelledAnswer = z.object({
  success,
  video_id: z.guid(),
  status: z.literal("cancelled"),
  gems_refunded: gems,
  gem_balance: gems,
});
/** A cancelled video. */
export type CancelledAnswer = z.infer<typeof cancelledAnswer>;

/** `delete-account`: 202. */
export const deletedAnswer = z.object({
  success,
  erasure_id: z.guid().nullable().meta({ description: "Null once everything is gone." }),
  message: z.string(),
});
/** An account that is going. */
export type DeletedAnswer = z.infer<typeof deletedAnswer>;
