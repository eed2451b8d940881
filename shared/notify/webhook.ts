/**
 * Webhooks to the app's own backend, signed after Standard Webhooks.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 *
 * `webhook-id` is the same however often one is sent: the receiver keeps it and takes each only once.
 */
import { createHmac } from "node:crypto";
import type { Channel, Message } from "./channel.ts";
import { outcomeOf, post } from "./request.ts";

/** Where the backend listens, and what is signed with. */
export interface AppWebhookOptions {
  readonly url: string;
  /** Keys, newest first: all of them sign, so that the receiver may change over when it likes. */
  readonly keys: readonly [Uint8Array, ...Uint8Array[]];
  readonly now?: () => number;
}

/** Sends to the app's backend. */
export function webhookChannel({ url, keys, now = Date.now }: AppWebhookOptions): Channel {
  return async (message) => {
    const body = webhookBody(message);
    const timestamp = String(Math.floor(now() / 1_000));
    const signed = `${message.id}.${timestamp}.${body}`;
    const signatures = keys.map((key) =>
      `v1,${createHmac("sha256", key).update(signed).digest("base64")}`
    );
    const answer = await post(url, {
      headers: {
        "content-type": "application/json",
        "webhook-id": message.id,
        "webhook-timestamp": timestamp,
        "webhook-signature": signatures.join(" "),
      },
      body,
    });
    // 404 and the like: a backend that is being deployed. Only "gone" says that it wants no more.
    const plain = outcomeOf(answer);
    if (plain.outcome !== "refused" || answer.status === 410) return plain;
    return { outcome: "later", code: plain.code };
  };
}

/** What the backend gets. Only the link of the picture may differ from one try to the next. */
function webhookBody(message: Message): string {
  const { kind, userId, title, body, imageUrl, data, createdAt } = message;
  return JSON.stringify({
    type: kind.replace("_", "."),
    timestamp: createdAt.toISOString(),
    data: { ...data, user_id: userId, title, body, image_url: imageUrl },
  });
}
