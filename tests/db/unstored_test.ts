import { assertEquals } from "@std/assert";
import type { Database } from "../../shared/db/database.ts";
import { reconcile } from "../../shared/db/maintain_calls.ts";
import { openQueue } from "../../shared/db/queue.ts";
import { failStoring, finishStoring } from "../../shared/db/store_calls.ts";
import { storeBatch } from "../../shared/stages/store.ts";
import {
  accept,
  brokenInvariants,
  deliver,
  type Family,
  newFamily,
  passTime,
  queueVideo,
  value,
} from "../support/fixtures.ts";
import { quiet, withSql } from "../support/sql.ts";

interface Scene {
  readonly db: Database;
  /** Has this many videos made, whose files wait. Answers their attempts, oldest first. */
  deliver(count: number): Promise<string[]>;
  /** Everything that waits to be copied is tried, and nothing of it can be had. */
  tryInVain(): Promise<void>;
  /** A round of maintenance, then what health says of Runware. */
  look(): Promise<{ breaker: unknown; reason: unknown; slots: unknown }>;
}

async function withScene(work: (scene: Scene) => Promise<void>): Promise<void> {
  await withSql(async (db) => {
    const family: Family = await newFamily(db, { gems: 1000 });
    const queue = openQueue(db, quiet);
    await queue.ready();
    try {
      await work({
        db,
        async deliver(count) {
          const jobs: string[] = [];
          for (let nth = 0; nth < count; nth++) {
            const job = await accept(db, (await queueVideo(db, family)).video_id);
            await deliver(db, job);
            jobs.push(job);
          }
          return jobs;
        },
        async tryInVain() {
          const tools = { database: db, queue, node: "w", log: quiet };
          const nowhere = { put: () => Promise.reject(new Error("Nothing is to be copied")) };
          // Without the provider's key a worker trusts none of its hosts, and leaves the file.
          while ((await storeBatch(tools, new Map(), nowhere)).taken > 0);
        },
        async look() {
          await reconcile(db);
          const [row] = await db.query(
            `select app.free_slots('runware') as slots, r -> 'breaker' as breaker, r -> 'pause_reason' as reason
             from (select public.health_report() -> 'providers' -> 'runware') as h (r)`,
          );
          return { breaker: row?.["breaker"], reason: row?.["reason"], slots: row?.["slots"] };
        },
      });
      assertEquals(await brokenInvariants(db), []);
    } finally {
      await queue.close();
    }
  });
}

const resting = { breaker: "paused", reason: "not_stored", slots: 0 };
const taking = { breaker: "closed", reason: null, slots: 200 };

Deno.test("nothing more is bought of a provider whose files cannot be stored, until one is", async () => {
  await withScene(async ({ db, deliver, tryInVain, look }) => {
    const [, , , newest = ""] = await deliver(4);
    await tryInVain();
    assertEquals(await look(), taking);
    await passTime(db, "11 minutes");
    assertEquals(await look(), resting);
    assertEquals(await value(db, "select app.free_slots('kie') as value"), 80);

    // It lasts as long as the trouble, whether the queue gives up in between or not.
    for (let round = 0; round < 7; round++) {
      await passTime(db, "2 minutes");
      await tryInVain();
      assertEquals(await look(), resting);
    }
    await finishStoring(db, newest, "path.mp4");
    await passTime(db, "3 minutes");
    await tryInVain();
    assertEquals(await look(), taking);
  });
});

Deno.test("two files that cannot be had are the files' own trouble", async () => {
  await withScene(async ({ db, deliver, tryInVain, look }) => {
    await deliver(2);
    await tryInVain();
    await passTime(db, "30 minutes");
    await tryInVain();
    assertEquals(await look(), taking);
  });
});

Deno.test("so are many, when others are stored that were made since", async () => {
  await withScene(async ({ db, deliver, tryInVain, look }) => {
    await deliver(5);
    await tryInVain();
    await passTime(db, "30 minutes");
    const [stored = ""] = await deliver(1);
    await finishStoring(db, stored, "path.mp4");
    await tryInVain();
    assertEquals(await look(), taking);
  });
});

Deno.test("files that have not had their turn yet are no trouble, before it takes an hour", async () => {
  await withScene(async ({ db, deliver, look }) => {
    await deliver(5);
    await passTime(db, "50 minutes");
    assertEquals(await look(), taking);
    await passTime(db, "11 minutes");
    assertEquals(await look(), resting);
  });
});

Deno.test("files that Storage refuses for good count for an hour", async () => {
  await withScene(async ({ db, deliver, look }) => {
    for (const job of await deliver(3)) {
      await failStoring(db, job, "copy_failed", { message: "mime type not supported" });
    }
    assertEquals(await look(), resting);
    await passTime(db, "59 minutes");
    assertEquals(await look(), resting);
    await passTime(db, "4 minutes");
    assertEquals(await look(), taking);
  });
});

Deno.test("a rest that the provider asked for itself is not cut short", async () => {
  await withScene(async ({ db, deliver, tryInVain, look }) => {
    await deliver(3);
    await tryInVain();
    await passTime(db, "11 minutes");
    await db.query("select app.note_refusal('runware', 1800, 'rateLimited')");
    assertEquals(await look(), { ...resting, reason: "rateLimited" });
    await passTime(db, "28 minutes");
    assertEquals(await look(), resting);
  });
});

Deno.test("an operator who holds the provider's row holds up no other rescue", async () => {
  await withScene(async ({ db, deliver, tryInVain, look }) => {
    const [lost = ""] = await deliver(4);
    await tryInVain();
    await passTime(db, "11 minutes");
    await db.query("delete from pgboss.job where id = $1", [lost]);
    await db.transaction(async (operator) => {
      await operator.query("select 1 from app.providers where name = 'runware' for update");
      assertEquals((await reconcile(db))["store_requeued"], 1);
    });
    assertEquals(await value(db, "select app.free_slots('runware') as value"), 200);
    assertEquals(await look(), resting);
  });
});
