/**
 * Notifying: sends what the outbox holds. What was sent is written down after it was sent, so a sender
 * that dies in between leaves it to be sent again, under the same id: never lost, and whoever gets it
 * twice can tell.
 */
import { type Delivery, finishNotifying, startNotifying } from "../db/notify_calls.ts";
import type { QueueJob } from "../db/queue.ts";
import { type ChannelName, CHANNELS, type Channels } from "../notify/channel.ts";
import type { StorageApi } from "../storage/storage_api.ts";
import { sleep } from "../sleep.ts";
import type { Batch } from "./batch_of_each.ts";
import { messageBuilder } from "./message.ts";
import { takeJobs } from "./take_jobs.ts";
import type { WorkerTools } from "./worker_tools.ts";

/** Messages of one channel sent at once by one worker. */
const AT_ONCE = 10;
/**
 * How long batches are begun. With two answers that take their 10 s it ends within 28 s. The worker's
 * lease is renewed meanwhile (place.ts); the queue takes a sender for dead that has held a message for
 * 60 s (expireInSeconds), which is longer than a batch takes.
 */
const STEP_MS = 8_000;
/** While another channel waits for answers, an idle one looks this often for what came in. */
const LOOK_AGAIN_MS = 500;

/** What sending needs beside the tools of every worker. */
export interface NotifyTools {
  readonly channels: Channels;
  readonly storage: Pick<StorageApi, "signedUrl">;
  /** Channels that were found missing, so that the log hears of each once. */
  readonly missed: Set<ChannelName>;
  /** The channels that this worker serves; all of them unless named. */
  readonly served?: readonly ChannelName[];
  readonly now?: () => number;
  readonly pause?: (milliseconds: number) => Promise<void>;
}

/**
 * Sends what is due, each channel by itself: while one waits for answers, the others take batch after
 * batch, and look again for what comes in meanwhile. Over when none of them has anything left, or soon
 * after the time is up.
 */
export async function notifyBatch(
  { database, queue, log }: WorkerTools,
  { channels, storage, missed, served = CHANNELS, now = () => performance.now(), pause = sleep }:
    NotifyTools,
): Promise<Batch> {
  const messageOf = messageBuilder(storage);
  const until = now() + STEP_MS;
  /** When the batch began that a channel holds. */
  const inHand = new Map<ChannelName, number>();
  // All of them end before this does, so that none is cut off because another one failed.
  const sent = await Promise.allSettled(served.map(sendAll));
  const taken = sent.map((one) => {
    if (one.status === "rejected") throw one.reason;
    return one.value;
  });
  return { taken: taken.reduce((sum, one) => sum + one, 0), fullness: 0 };

  async function sendAll(channel: ChannelName): Promise<number> {
    let total = 0;
    try {
      for (;;) {
        // Past the time a batch is begun only beside one that was begun before: none waits for two.
        const others = [...inHand].filter(([other]) => other !== channel);
        if (now() >= until && !others.some(([, began]) => began < until)) return total;
        const began = now();
        const taken = await sendSome(channel, () => inHand.set(channel, began));
        total += taken;
        if (taken > 0) continue;
        inHand.delete(channel);
        if (inHand.size === 0) return total;
        await pause(LOOK_AGAIN_MS);
      }
    } finally {
      inHand.delete(channel);
    }
  }

  async function sendSome(channel: ChannelName, onTaken: () => void): Promise<number> {
    const name = `notify-${channel}` as const;
    const { jobs, rows: deliveries } = await database.transaction((sql) =>
      takeJobs(
        sql,
        { queue, name, most: AT_ONCE },
        (ids) => startNotifying(sql, ids),
        ({ delivery_id: id }) => ({ id }),
      )
    );
    if (jobs.length > 0) onTaken();
    const sent = await Promise.allSettled(deliveries.map((delivery) => {
      const job = jobs.find((one) => one.id === delivery.delivery_id);
      return job === undefined ? undefined : notifyOne(delivery, job);
    }));
    const failed = sent.find((one) => one.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    return jobs.length;
  }

  async function notifyOne(delivery: Delivery, job: QueueJob): Promise<void> {
    const told = await send(delivery);
    const result = await database.transaction(async (sql) => {
      const result = await finishNotifying(sql, delivery, told);
      // To be sent again, it has a new job in place of this one.
      if (result !== "later") await queue.complete(sql, `notify-${delivery.channel}`, [job]);
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
}
