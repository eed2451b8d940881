/**
 * Notifying: sends what the outbox holds. What was sent is written down after it was sent, so a sender
 * that dies in between leaves it to be sent again, under the same id: never lost, and whoever gets it
 * twice can tell.
 */
import { type Delivery, finishNotifying, startNotifying } from "../db/notify_calls.ts";
import type { QueueJob } from "../db/queue.ts";
import type { WorkerTools } from "../http/worker_door.ts";
import {
  type ChannelName,
  type Channels,
  KEPT_SECONDS,
  type Message,
  SEALED,
} from "../notify/channel.ts";
import type { StorageApi } from "../storage/storage_api.ts";
import type { Batch } from "./drain.ts";

/** Messages sent at once by one worker. */
const AT_ONCE = 10;

/** What sending needs beside the tools of every worker. */
export interface NotifyTools {
  readonly channels: Channels;
  readonly storage: Pick<StorageApi, "signedUrl">;
  /** Channels that were found missing, so that the log hears of each once. */
  readonly missed: Set<ChannelName>;
}

/** Sends one batch. */
export async function notifyBatch(
  { database, queue, log }: WorkerTools,
  { channels, storage, missed }: NotifyTools,
): Promise<Batch> {
  const { jobs, deliveries } = await database.transaction(async (sql) => {
    const jobs = await queue.fetch(sql, "notify-user", AT_ONCE);
    const deliveries = jobs.length === 0
      ? []
      : await startNotifying(sql, jobs.map((job) => job.id));
    const wanted = new Set(deliveries.map((delivery) => delivery.delivery_id));
    await queue.complete(sql, "notify-user", jobs.filter((job) => !wanted.has(job.id)));
    return { jobs, deliveries };
  });
  const images = new Map<string, Promise<string | null>>();
  // All of them end before this does, so that none is cut off because another one failed.
  const sent = await Promise.allSettled(deliveries.map((delivery) => {
    const job = jobs.find((one) => one.id === delivery.delivery_id);
    return job === undefined ? undefined : notifyOne(delivery, job);
  }));
  const failed = sent.find((one) => one.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return { taken: jobs.length, full: jobs.length === AT_ONCE };

  async function notifyOne(delivery: Delivery, job: QueueJob): Promise<void> {
    const told = await send(delivery);
    const result = await database.transaction(async (sql) => {
      const result = await finishNotifying(sql, delivery, told);
      // To be sent again, it has a new job in place of this one.
      if (result !== "later") await queue.complete(sql, "notify-user", [job]);
      return result;
    });
    const { delivery_id, channel, video_id, attempts } = delivery;
    const about = { delivery_id, channel, video_id, attempts, result };
    if (told.outcome === "sent") log.info("Notified", about);
    else if (told.outcome !== "skipped") log.warn("Not notified", { ...about, code: told.code });
  }

  async function send(delivery: Delivery) {
    const channel = channels.get(delivery.channel);
    if (channel !== undefined) return await channel(await messageOf(delivery));
    if (!missed.has(delivery.channel)) {
      missed.add(delivery.channel);
      log.warn("A channel is not set up: what is for it is skipped", { channel: delivery.channel });
    }
    return { outcome: "skipped", code: "not_set_up" } as const;
  }

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
