import { assertEquals } from "@std/assert";
import type { Database } from "../../shared/db/database.ts";
import { reconcile } from "../../shared/db/maintain_calls.ts";
import { openQueue } from "../../shared/db/queue.ts";
import { failStoring, finishStoring } from "../../shared/db/store_calls.ts";
import { prepareSubmitting } from "../../shared/db/submit_calls.ts";
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
  readonly family: Family;
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
    await db.query("update app.settings set queue_limit = 1000");
    const queue = openQueue(db, quiet);
    await queue.ready();
    try {
      await work({
        db,
        family,
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

const resting = { breaker: "open", reason: "not_stored", slots: 0 };
const trying = { breaker: "half_open", reason: "not_stored", slots: 1 };
const taking = { breaker: "closed", reason: null, slots: 200 };

Deno.test("of a provider whose files cannot be stored next to nothing is bought, until they can", async () => {
  await withScene(async ({ db, deliver, tryInVain, look }) => {
    const [first = "", , , , newest = ""] = await deliver(5);
    await tryInVain();
    assertEquals(await look(), taking);
    await passTime(db, "11 minutes");
    assertEquals(await look(), resting);
    assertEquals(await value(db, "select app.free_slots('kie') as value"), 80);

    // It lasts as long as the trouble, with one attempt now and then, whether the queue gives up or not.
    for (let round = 0; round < 7; round++) {
      await passTime(db, "9 minutes");
      await tryInVain();
      assertEquals(await look(), resting);
      await passTime(db, "2 minutes");
      assertEquals(await look(), trying);
      await deliver(1);
      await tryInVain();
      assertEquals(await look(), resting);
    }
    // Of those that came later none is known to be any better.
    await finishStoring(db, first, "first.mp4");
    assertEquals(await look(), resting);
    await finishStoring(db, newest, "newest.mp4");
    assertEquals(await look(), resting);
    const [now = ""] = await deliver(1);
    await finishStoring(db, now, "now.mp4");
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

Deno.test("so are many, when one is stored that came after them; and what came before them says nothing", async () => {
  await withScene(async ({ db, deliver, tryInVain, look }) => {
    await deliver(5);
    await tryInVain();
    await passTime(db, "30 minutes");
    const [stored = ""] = await deliver(1);
    await finishStoring(db, stored, "path.mp4");
    await tryInVain();
    assertEquals(await look(), taking);

    await deliver(3);
    await tryInVain();
    await passTime(db, "11 minutes");
    assertEquals(await look(), resting);
  });
});

Deno.test("what is stored of a model that is not in the price list counts as well", async () => {
  await withScene(async ({ db, deliver, tryInVain, look }) => {
    await db.query("update public.rhymes set model = 'google:3@2'");
    await deliver(3);
    await tryInVain();
    await passTime(db, "11 minutes");
    await db.query("select app.measure_models()");
    const [stored = ""] = await deliver(1);
    await finishStoring(db, stored, "path.mp4");
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

Deno.test("what Storage refuses for good counts for an hour, however many come meanwhile", async () => {
  await withScene(async ({ db, deliver, look }) => {
    for (const job of await deliver(3)) {
      await failStoring(db, job, "copy_failed", { message: "mime type not supported" });
    }
    await passTime(db, "1 minute");
    await deliver(25);
    assertEquals(await look(), resting);
    await db.query("delete from public.videos where status = 'rendering'");
    await passTime(db, "58 minutes");
    assertEquals(await look(), trying);
    await passTime(db, "4 minutes");
    assertEquals(await look(), taking);
  });
});

Deno.test("a rest that the provider asked for itself is not cut short", async () => {
  await withScene(async ({ db, deliver, tryInVain, look }) => {
    const [, , stored = ""] = await deliver(3);
    await tryInVain();
    await passTime(db, "11 minutes");
    await db.query("select app.note_refusal('runware', 1800, 'rateLimited')");
    const asked = { breaker: "paused", reason: "rateLimited", slots: 0 };
    assertEquals(await look(), asked);
    await finishStoring(db, stored, "path.mp4");
    assertEquals(await look(), asked);
  });
});

Deno.test("without storing_patience_minutes no provider rests for its files", async () => {
  await withScene(async ({ db, deliver, tryInVain, look }) => {
    await db.query("update app.settings set storing_patience_minutes = null");
    for (const job of await deliver(3)) {
      await failStoring(db, job, "copy_failed", { message: "no" });
    }
    await deliver(3);
    await tryInVain();
    await passTime(db, "5 hours");
    assertEquals(await look(), taking);
  });
});

Deno.test("what waits moves on to another provider only while anybody's files can be stored", async () => {
  await withScene(async ({ db, family, deliver, tryInVain, look }) => {
    await deliver(3);
    await tryInVain();
    await passTime(db, "11 minutes");
    assertEquals(await look(), resting);
    await db.query("update public.notifications set created_at = created_at - interval '1 hour'");
    const { video_id } = await queueVideo(db, family);
    await db.query(
      "update public.videos set fallbacks = $2 where id = $1",
      [video_id, JSON.stringify([{ provider: "kie", model: "veo3" }])],
    );
    const moved = async () => (await prepareSubmitting(db, ["runware", "kie"])).moved;
    assertEquals(await moved(), 0);
    await db.query(
      `insert into public.notifications (user_id, video_id, kind, title, body, data)
       values ($1, $2, 'video_ready', 'Your video is ready', 'Elsewhere', '{}')`,
      [family.userId, video_id],
    );
    assertEquals(await moved(), 1);
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
