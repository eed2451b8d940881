import { assertEquals } from "@std/assert";
import type { Sql } from "../../shared/db/database.ts";
import { endDrain, startDrain } from "../../shared/db/drain_calls.ts";
import { startSubmissions, submissionSlots } from "../../shared/db/submit_calls.ts";
import { overlapping } from "../support/overlap.ts";
import { withSql } from "../support/sql.ts";
import {
  accept,
  balanceOf,
  brokenInvariants,
  hangDoorbell,
  newestJob,
  newFamily,
  queueVideo,
  value,
} from "../support/fixtures.ts";

Deno.test("two movements of one user's gems at once: the second counts on from the first", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db);
    const move = (sql: Sql, amount: number) =>
      value(sql, "select app.move_gems($1, $2, 'grant', null, 'Test') as value", [
        family.userId,
        amount,
      ]);
    const { first, second } = await overlapping(db, (sql) => move(sql, 5), () => move(db, 7));
    assertEquals([first, second], [5, 12]);
    assertEquals(await balanceOf(db, family), 12);
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("a grant that is repeated while the first is under way waits, and answers the same", async () => {
  await withSql(async (db) => {
    const { userId } = await newFamily(db);
    const grant = (sql: Sql) =>
      value(sql, "select public.grant_gems($1, 100, 'purchase', 'Shop', 'order-1') as value", [
        userId,
      ]);
    assertEquals(await overlapping(db, grant, () => grant(db)), {
      first: { gem_balance: 100, replayed: false },
      second: { gem_balance: 100, replayed: true },
      waited: true,
    });
  });
});

Deno.test("two workers that take slots at once: the second sees what the first has claimed", async () => {
  await withSql(async (db) => {
    await db.query("update app.providers set max_in_flight = 3");
    const family = await newFamily(db, { gems: 10 });
    const { id } = await newestJob(db, (await queueVideo(db, family)).video_id);
    const claim = async (sql: Sql) => {
      const slots = await submissionSlots(sql, "runware", 10);
      await startSubmissions(sql, [id], "one");
      return slots;
    };
    const count = () => db.transaction((sql) => submissionSlots(sql, "runware", 10));
    assertEquals(await overlapping(db, claim, count), { first: 3, second: 2, waited: true });
  });
});

Deno.test("two workers that come to a stage at once: the second waits, and finds its one place taken", async () => {
  await withSql(async (db) => {
    const come = (node: string) => (sql: Sql) => startDrain(sql, "submit", node);
    assertEquals(await overlapping(db, come("one"), () => come("two")(db)), {
      first: true,
      second: false,
      waited: true,
    });
    assertEquals(await db.query("select node from app.drainers"), [{ node: "one" }]);
  });
});

Deno.test("a poller that comes while the first takes its lease neither waits nor gets the same", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const job = await accept(db, (await queueVideo(db, family)).video_id);
    await db.query("update public.video_jobs set next_poll_at = now()");
    const lease = (sql: Sql) => sql.query("select video_job_id from app.due_polls('runware', 4)");
    assertEquals(await overlapping(db, lease, () => lease(db)), {
      first: [{ video_job_id: job }],
      second: [],
      waited: false,
    });
  });
});

Deno.test("F34 work that comes while the last worker stops waits for it, then rings", async () => {
  await withSql(async (db) => {
    await hangDoorbell(db);
    const family = await newFamily(db, { gems: 10 });
    await startDrain(db, "submit", "last");
    const { first: sawWork, waited } = await overlapping(
      db,
      (sql) => endDrain(sql, "submit", "last"),
      () => queueVideo(db, family),
    );
    assertEquals([sawWork, waited], [false, true]);
    const rings = "select count(*)::int as value from net.http_request_queue";
    assertEquals(await value(db, rings), 1);
  });
});

Deno.test("two taps on cancel at once: the second waits and is answered the same", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    const cancel = (sql: Sql) =>
      value(sql, "select public.cancel_video($1, $2) as value", [family.userId, video_id]);
    const answer = { video_id, status: "cancelled", gems_refunded: 10, gem_balance: 10 };
    assertEquals(await overlapping(db, cancel, () => cancel(db)), {
      first: answer,
      second: answer,
      waited: true,
    });
  });
});
