/** From a delivery to the message that its channel sends. */
import type { Delivery } from "../db/notify_calls.ts";
import { KEPT_SECONDS, type Message, SEALED } from "../notify/channel.ts";
import type { StorageApi } from "../storage/storage_api.ts";

/** Makes the builder of messages. It signs each picture once, however many messages show it. */
export function messageBuilder(
  storage: Pick<StorageApi, "signedUrl">,
): (delivery: Delivery) => Promise<Message> {
  const images = new Map<string, Promise<string | null>>();
  return messageOf;

  async function messageOf(delivery: Delivery): Promise<Message> {
    const { p256dh, auth } = delivery;
    return {
      id: delivery.delivery_id,
      kind: delivery.kind,
      userId: delivery.user_id,
      videoId: delivery.video_id,
      title: delivery.title,
      body: delivery.body,
      data: delivery.data,
      createdAt: delivery.created_at,
      address: delivery.address,
      keys: p256dh === null || auth === null ? null : { p256dh, auth },
      imageUrl: await imageOf(delivery),
    };
  }

  /** Signing fails where the picture is not there. Then, or when Storage is away, it goes without one. */
  async function imageOf(
    { channel, thumbnail_path: path, shows_child }: Delivery,
  ): Promise<string | null> {
    if (path === null || (shows_child && !SEALED.has(channel))) return null;
    const known = images.get(path);
    if (known !== undefined) return await known;
    const signing = storage.signedUrl("videos", path, KEPT_SECONDS + 3_600).catch(() => null);
    images.set(path, signing);
    return await signing;
  }
}
