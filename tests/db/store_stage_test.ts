import { assertEquals } from "@std/assert";
import { openQueue } from "../../shared/db/queue.ts";
import { storeBatch } from "../../shared/stages/store.ts";
import { accept, deliver, newFamily, passTime, queueVideo, videoOf } from "../support/fixtures.ts";
import { quiet, withSql } from "../support/sql.ts";

Deno.test("a delivered file waits where the provider's key is gone from this deployment, and is not given up for it", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    await deliver(db, await accept(db, video_id));
    const queue = openQueue(db, quiet);
    await queue.ready();
    const tools = { database: db, queue, node: "w", log: quiet };
    const store = { put: () => Promise.reject(new Error("Nothing is to be copied")) };
    // More often than the queue gives a job out: its last try is no end either.
    for (let i = 0; i < 7; i++) {
      await storeBatch(tools, new Map(), store);
      await passTime(db, "3 minutes");
    }
    await queue.close();
    assertEquals((await videoOf(db, video_id)).status, "rendering");
    // Its job is a dead letter by now, and comes back.
    const [counts] = await db.query("select app.reconcile() ->> 'store_requeued' as value");
    assertEquals(counts, { value: "1" });
  });
});
