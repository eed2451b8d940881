import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import { finishNotifying, startNotifying } from "../../shared/db/notify_calls.ts";
import type { Database, Sql } from "../../shared/db/database.ts";
import { openQueue } from "../../shared/db/queue.ts";
import { finishStoring } from "../../shared/db/store_calls.ts";
import type { Channel, ChannelName, Channels } from "../../shared/notify/channel.ts";
import { notifyBatch } from "../../shared/stages/notify.ts";
import {
  accept,
  brokenInvariants,
  deliver,
  failAttempt,
  type Family,
  newFamily,
  passTime,
  queueVideo,
  value,
} from "../support/fixtures.ts";
import { until } from "../support/until.ts";
import { quiet, withSql } from "../support/sql.ts";
import { asUser } from "../support/as_user.ts";
import { registerDevice } from "../support/devices.ts";
import { holdRow, impatient } from "../support/held.ts";

Deno.test("a finished video has one delivery for each device and one for the backend, each in the queue", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 20 });
    await registerDevice(db, family, { address: "phone" });
    await registerDevice(db, family, { kind: "web_push", address: "https://push.example/1" });
    await registerDevice(db, await newFamily(db), { address: "a-strangers" });
    await finished(db, family);
    assertEquals(await channelsOf(db), ["fcm", "web_push", "webhook"]);
    assertEquals(
      await value(
        db,
        `select count(*)::int as value from public.notification_deliveries d
         join pgboss.job j on j.id = d.id and j.name = 'notify-' || d.channel and j.state = 'created'`,
      ),
      3,
    );
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("a failed video is told once, however often the provider says so", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 20 });
    await registerDevice(db, family, { address: "phone" });
    const { video_id } = await queueVideo(db, family);
    const jobId = await accept(db, video_id);
    await Promise.all([1, 2, 3].map(() => failAttempt(db, jobId, { final: true })));
    assertEquals(await channelsOf(db), ["fcm", "webhook"]);
  });
});

Deno.test("a notification and its deliveries are undone together", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 20 });
    const { video_id } = await queueVideo(db, family);
    const jobId = await accept(db, video_id);
    await deliver(db, jobId);
    await db.transaction(async (sql) => {
      await finishStoring(sql, jobId, `${family.userId}/videos/${video_id}.mp4`, null);
      throw new Error("The worker dies");
    }).catch(() => {});
    assertEquals(await channelsOf(db), []);
    assertEquals(
      await value(
        db,
        "select count(*)::int as value from pgboss.job where name like 'notify-%'",
      ),
      0,
    );
  });
});

Deno.test("sent is sent, whoever says so; anything else is the word of the newest try", async () => {
  await withSql(async (db) => {
    await finished(db, await newFamily(db, { gems: 20 }));
    const first = await takenOne(db, "webhook");
    const second = await takenOne(db, "webhook");
    const later = { outcome: "later", code: "http_503" } as const;
    assertEquals(await finishNotifying(db, first, later), "lost");
    assertEquals(
      await finishNotifying(db, first, { outcome: "refused", code: "http_400" }),
      "lost",
    );
    assertEquals(await finishNotifying(db, first, { outcome: "sent" }), "sent");
    assertEquals(await finishNotifying(db, second, later), "lost");
    assertEquals(await taken(db), []);
  });
});

Deno.test("tried again later each time, as late as the service asks, and failed after the last try", async () => {
  await withSql(async (db) => {
    await finished(db, await newFamily(db, { gems: 20 }));
    const waits = [];
    // Whoever asks for a day is left alone for an hour, or as long as it would be anyway.
    for (const waitSeconds of [0, 0, 100, 0, 0, 86_400, 0, 86_400, 0, 0, 0, 0]) {
      const delivery = await takenOne(db, "webhook");
      await finishNotifying(db, delivery, { outcome: "later", code: "http_503", waitSeconds });
      waits.push(
        await value(
          db,
          // To five seconds: some have gone by since.
          "select (5 * round(extract(epoch from start_after - now()) / 5))::int as value from pgboss.job where id = $1",
          [delivery.delivery_id],
        ),
      );
      assertEquals(await brokenInvariants(db), []);
    }
    assertEquals(
      waits.slice(0, 11),
      [5, 15, 100, 135, 405, 3_600, 3_645, 10_935, 21_600, 21_600, 21_600],
    );
    assertEquals(await outcomes(db), [{
      channel: "webhook",
      status: "failed",
      error_code: "http_503",
      attempts: 12,
    }]);
  });
});

Deno.test("senders that die one after the other are not fed forever", async () => {
  await withSql(async (db) => {
    await db.query("update app.settings set notify_attempts = 2");
    await finished(db, await newFamily(db, { gems: 20 }));
    for (let i = 0; i < 3; i++) await taken(db);
    assertEquals(await outcomes(db), [{
      channel: "webhook",
      status: "failed",
      error_code: "sender_died",
      attempts: 2,
    }]);
  });
});

Deno.test("a dead address takes its device along, unless the device has got another one meanwhile", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 40 });
    for (const renewed of [false, true]) {
      await registerDevice(db, family, { address: "phone" });
      await finished(db, family);
      const delivery = await takenOne(db, "fcm");
      if (renewed) await db.query("update public.devices set address = 'renewed'");
      await finishNotifying(db, delivery, { outcome: "gone", code: "unregistered" });
      assertEquals(
        await db.query("select address from public.devices"),
        renewed ? [{ address: "renewed" }] : [],
      );
    }
  });
});

Deno.test("a device that went before the sender came is skipped; a deleted video leaves nothing to send", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 20 });
    await registerDevice(db, family, { address: "phone" });
    const videoId = await finished(db, family);
    await asUser(db, family.userId, "delete from public.devices");
    assertEquals((await taken(db)).map(({ channel }) => channel), ["webhook"]);
    await db.query("delete from public.videos where id = $1", [videoId]);
    assertEquals(await taken(db), []);
    assertEquals(await channelsOf(db), []);
  });
});

Deno.test("a delivery that the queue lost is an invariant's matter until reconcile queues it again", async () => {
  await withSql(async (db) => {
    await finished(db, await newFamily(db, { gems: 20 }));
    await db.query("delete from pgboss.job where name like 'notify-%'");
    const [broken] = await brokenInvariants(db);
    assertEquals(broken?.["invariant"], "stranded: nobody will deliver the notification");
    await db.query("select app.reconcile()");
    assertEquals(await brokenInvariants(db), []);
    await passTime(db, "1 minute");
    assertEquals(await value(db, "select app.work_due('notify') as value"), true);
  });
});

Deno.test("a delivery that somebody holds is not waited for, and is sent later", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 20 });
    await registerDevice(db, family, { address: "phone" });
    await finished(db, family);
    const [held] = await db.query("select id from public.notification_deliveries order by id");
    {
      await using _ = await holdRow(db, "public.notification_deliveries", String(held?.["id"]));
      const [delivery, ...more] = await taken(impatient(db));
      assertEquals([delivery?.delivery_id === held?.["id"], more], [false, []]);
      await db.query("delete from pgboss.job where name like 'notify-%'");
    }
    const [counts] = await db.query("select app.reconcile() ->> 'notify_requeued' as value");
    assertEquals(counts, { value: "2" });
    assertEquals((await taken(db)).length, 2);
  });
});

Deno.test("an address moves to whoever uses the device now, and what was on its way to the other does not follow", async () => {
  await withSql(async (db) => {
    const [before, after] = [await newFamily(db, { gems: 20 }), await newFamily(db)];
    const old = await registerDevice(db, before, { address: "shared-phone" });
    await finished(db, before);
    const device = await registerDevice(db, after, { address: "shared-phone" });
    assert(device !== old);
    assertEquals((await taken(db)).map(({ channel }) => channel), ["webhook"]);
    assertEquals(await registerDevice(db, after, { address: "shared-phone" }), device);
    assertEquals(await asUser(db, before.userId, "select id from public.devices"), []);
  });
});

Deno.test("twenty devices are kept, those seen last", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db);
    for (let i = 0; i < 22; i++) await registerDevice(db, family, { address: `phone-${i}` });
    const addresses = await db.query("select address from public.devices");
    assertEquals(addresses.length, 20);
    assert(!addresses.some(({ address }) => address === "phone-0" || address === "phone-1"));
  });
});

Deno.test("a channel whose answers do not come holds up no other: neither what is due nor what comes in meanwhile", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 300 });
    await registerDevice(db, family, { address: "phone" });
    for (let i = 0; i < 12; i++) await finished(db, family);
    const [answer, phone] = [Promise.withResolvers<void>(), Array<string>()];
    let asked = 0;
    const channels: Channels = new Map<ChannelName, Channel>([
      ["fcm", (message) => {
        phone.push(message.videoId);
        return Promise.resolve({ outcome: "sent" });
      }],
      ["webhook", async () => {
        asked += 1;
        await answer.promise;
        return { outcome: "sent" };
      }],
    ]);
    const queue = openQueue(db, quiet);
    await queue.ready();
    const tools = { database: db, queue, log: quiet, node: "test" };
    const storage = { signedUrl: () => Promise.reject(new Error("Nothing is signed here")) };
    const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 1));
    const sending = notifyBatch(tools, { channels, storage, missed: new Set(), pause });
    await until("all phones are told", () => Promise.resolve(phone.length === 12 || undefined));
    const late = await finished(db, family);
    await until("the late one is told", () => Promise.resolve(phone.includes(late) || undefined));
    assertEquals(asked, 10, "a batch of the backend's is all that waits");
    answer.resolve();
    assertEquals((await sending).taken, 26);
    assertEquals(
      (await outcomes(db)).map(({ status }) => status),
      Array(26).fill("sent"),
    );
    await queue.close();
  });
});

async function finished(db: Database, family: Family): Promise<string> {
  const { video_id } = await queueVideo(db, family);
  const jobId = await accept(db, video_id);
  await deliver(db, jobId);
  await finishStoring(db, jobId, `${family.userId}/videos/${video_id}.mp4`, null);
  return video_id;
}

async function taken(db: Sql) {
  const rows = await db.query("select id from public.notification_deliveries");
  return await startNotifying(db, rows.map(({ id }) => z.uuid().parse(id)));
}

async function takenOne(db: Sql, channel: string) {
  const found = (await taken(db)).find((delivery) => delivery.channel === channel);
  if (found === undefined) throw new Error(`Nothing to send by ${channel}`);
  return found;
}

function outcomes(db: Sql) {
  return db.query(
    "select channel, status, error_code, attempts from public.notification_deliveries",
  );
}

async function channelsOf(db: Sql): Promise<unknown[]> {
  const rows = await db.query("select channel from public.notification_deliveries order by 1");
  return rows.map((row) => row["channel"]);
}
