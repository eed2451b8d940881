import { assertEquals } from "@std/assert";
import { withSql } from "../support/sql.ts";
import {
  balanceOf,
  brokenInvariants,
  entriesOf,
  newFamily,
  queueVideo,
  stateOf,
  value,
} from "../support/fixtures.ts";

Deno.test("F01 F02 twenty taps at once on gems for one video buy one video", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const states = await Promise.all(
      Array.from({ length: 20 }, () => stateOf(queueVideo(db, family))),
    );
    assertEquals(states.filter((state) => state === "no error").length, 1);
    assertEquals(states.filter((state) => state === "GM001").length, 19);
    assertEquals(await balanceOf(db, family), 0);
    assertEquals(await value(db, "select count(*)::int as value from public.videos"), 1);
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("F29 spending more than there is is refused and changes nothing", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 9 });
    assertEquals(await stateOf(queueVideo(db, family)), "GM001");
    assertEquals(await balanceOf(db, family), 9);
    assertEquals(await value(db, "select count(*)::int as value from public.videos"), 0);
    assertEquals(await value(db, "select count(*)::int as value from pgboss.job"), 0);
  });
});

Deno.test("a grant repeated with its key adds once, with another amount or kind it is refused", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db);
    const grant = (amount: number, kind = "purchase") =>
      db.query("select public.grant_gems($1, $2, $3, 'Shop', 'order-1')", [
        family.userId,
        amount,
        kind,
      ]);
    await Promise.all(Array.from({ length: 10 }, () => grant(100)));
    assertEquals(await balanceOf(db, family), 100);
    assertEquals(await stateOf(grant(101)), "GM002");
    assertEquals(await stateOf(grant(100, "grant")), "GM002");
    assertEquals(await balanceOf(db, family), 100);
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("F05 the tables themselves refuse a debt, and a second charge or refund of a video", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const debt = "update public.users set gem_balance = -1 where id = $1";
    assertEquals(await stateOf(db.query(debt, [family.userId])), "23514");
    const { video_id } = await queueVideo(db, family);
    const move = (amount: number, kind: string) =>
      stateOf(db.query("select app.move_gems($1, $2, $3, $4, 'Test')", [
        family.userId,
        amount,
        kind,
        video_id,
      ]));
    assertEquals(await move(10, "refund"), "no error");
    assertEquals(await move(10, "refund"), "23505");
    assertEquals(await move(-10, "charge"), "23505");
    assertEquals(await balanceOf(db, family), 10);
  });
});

Deno.test("a grant needs a kind, a positive amount and a key", async () => {
  await withSql(async (db) => {
    const { userId } = await newFamily(db);
    const grant = (...values: unknown[]) =>
      stateOf(db.query("select public.grant_gems($1, $2, $3, 'Test', $4)", [userId, ...values]));
    assertEquals(await grant(10, "charge", "k"), "GM008");
    assertEquals(await grant(0, "grant", "k"), "GM008");
    assertEquals(await grant(-5, "purchase", "k"), "GM008");
    assertEquals(await grant(10, "grant", null), "GM008");
    assertEquals(await grant(10, "grant", ""), "GM008");
  });
});

Deno.test("an adjustment may take gems away, but never below zero", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const adjust = (amount: number) =>
      stateOf(db.query("select public.grant_gems($1, $2, 'adjustment', 'Fraud', $3)", [
        family.userId,
        amount,
        crypto.randomUUID(),
      ]));
    assertEquals(await adjust(-4), "no error");
    assertEquals(await adjust(-7), "GM001");
    assertEquals(await balanceOf(db, family), 6);
  });
});

Deno.test("nobody can be granted so many gems that a refund would not fit", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const grant = (amount: number, key: string) =>
      stateOf(
        db.query("select public.grant_gems($1, $2, 'grant', 'Test', $3)", [
          family.userId,
          amount,
          key,
        ]),
      );
    assertEquals(await grant(999_999_991, "a"), "GM008");
    assertEquals(await grant(2_147_483_647, "b"), "GM008");
    assertEquals(await grant(999_999_990, "c"), "no error");
    assertEquals(await grant(1, "d"), "GM008");
    assertEquals(await balanceOf(db, family), 1_000_000_000);
  });
});

Deno.test("the ledger itself takes no entry that cannot be one", async () => {
  await withSql(async (db) => {
    const { userId } = await newFamily(db);
    const videoId = crypto.randomUUID();
    const enter = (amount: number, kind: string, video: string | null) =>
      stateOf(
        db.query(
          `insert into public.gem_entries (user_id, amount, kind, video_id, reason, balance_after)
           values ($1, $2, $3, $4, 'Test', 0)`,
          [userId, amount, kind, video],
        ),
      );
    for (
      const [amount, kind, video] of [
        [10, "charge", videoId],
        [-10, "charge", null],
        [0, "charge", videoId],
        [-10, "refund", videoId],
        [10, "refund", null],
        [-10, "grant", null],
        [10, "grant", videoId],
        [-10, "purchase", null],
        [0, "adjustment", null],
        [10, "gift", null],
      ] as const
    ) {
      assertEquals(await enter(amount, kind, video), "23514", `${kind} ${amount} ${video}`);
    }
    assertEquals(await enter(-10, "charge", videoId), "no error");
    assertEquals(await enter(10, "refund", videoId), "no error");
  });
});

Deno.test("ledger entries can be neither changed nor removed", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    assertEquals(await stateOf(db.query("update public.gem_entries set amount = 99")), "GM009");
    const disguised = "update public.gem_entries set reason = 'Deleted video'";
    assertEquals(await stateOf(db.query(disguised)), "GM009", "of no video");
    await queueVideo(db, family);
    assertEquals(
      await stateOf(db.query(`${disguised}, amount = -1 where kind = 'charge'`)),
      "GM009",
    );
    const forgotten = "update public.gem_entries set user_id = null";
    for (
      const change of [
        "amount = amount + 1",
        "kind = 'grant', video_id = null",
        "balance_after = 99",
        "created_at = now() - interval '1 day'",
        "reason = 'Another'",
        "idempotency_key = 'another'",
      ]
    ) {
      assertEquals(await stateOf(db.query(`${forgotten}, ${change}`)), "GM009", change);
    }
    assertEquals(await stateOf(db.query("delete from public.gem_entries")), "GM009");
    assertEquals(await stateOf(db.query("truncate public.gem_entries")), "GM009");
  });
});

Deno.test("when an account is deleted its ledger stays, without the name", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    await db.query("delete from auth.users where id = $1", [family.userId]);
    assertEquals(await entriesOf(db, video_id), [{ kind: "charge", amount: -10 }]);
    assertEquals(
      await value(
        db,
        "select count(*)::int as value from public.gem_entries where user_id is not null",
      ),
      0,
    );
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("however long a title is, its video is charged and refunded, or not taken", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 20 });
    const order = (length: number) =>
      value(db, "select public.queue_video($1, $2, 'h', 60) ->> 'video_id' as value", [
        family.userId,
        {
          ...{ kind: "prompt", prompt: "A fox", title: "x".repeat(length), provider: "runware" },
          ...{ model: "pixverse:1@5-fast", options: { duration: 5, resolution: "720p" } },
        },
      ]);
    assertEquals(await stateOf(order(201)), "23514");
    for (const length of [189, 193, 200]) {
      await db.query("select public.cancel_video($1, $2)", [family.userId, await order(length)]);
    }
    assertEquals(await balanceOf(db, family), 20);
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("the invariants notice a balance that is not the sum of its entries", async () => {
  await withSql(async (db) => {
    const { userId } = await newFamily(db, { gems: 10 });
    await db.query("update public.users set gem_balance = 11 where id = $1", [userId]);
    const [broken] = await brokenInvariants(db);
    assertEquals(broken?.["invariant"], "balance is not the sum of the entries");
  });
});
