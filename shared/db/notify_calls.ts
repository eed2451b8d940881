/** The sender's SQL functions as typed calls. */
import { z } from "zod";
import type { Sql } from "./database.ts";
import { id, many, one } from "./rows.ts";
import { CHANNELS, type Outcome } from "../notify/channel.ts";

const delivery = z.object({
  delivery_id: id,
  attempts: z.number().int(),
  channel: z.enum(CHANNELS),
  kind: z.string(),
  video_id: id,
  user_id: id,
  title: z.string(),
  body: z.string(),
  data: z.record(z.string(), z.string()),
  created_at: z.date(),
  thumbnail_path: z.string().nullable(),
  /** The thumbnail is a child's picture. */
  shows_child: z.boolean(),
  address: z.string().nullable(),
  p256dh: z.string().nullable(),
  auth: z.string().nullable(),
});
/** A notification on its way to one place. */
export type Delivery = z.infer<typeof delivery>;

const result = z.enum(["sent", "later", "failed", "skipped", "lost"]);

/** What is needed to send these; each counts as tried from now on. */
export const startNotifying = (sql: Sql, ids: string[]): Promise<Delivery[]> =>
  many(sql, delivery, "select * from app.start_notifying($1)", [ids]);

/**
 * Writes down what became of a try, and answers what the row says now. After "later" the queue's job
 * is another one.
 */
export const finishNotifying = (
  sql: Sql,
  { delivery_id, attempts, address }: Pick<Delivery, "delivery_id" | "attempts" | "address">,
  told: Outcome | { readonly outcome: "skipped"; readonly code: string },
) =>
  one(sql, result, "select app.finish_notifying($1, $2, $3, $4, $5, $6) as value", [
    delivery_id,
    attempts,
    told.outcome,
    "code" in told ? told.code : null,
    address,
    "waitSeconds" in told ? Math.ceil(Math.min(told.waitSeconds ?? 0, 86_400)) : 0,
  ]);
