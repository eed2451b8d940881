import { assert, assertEquals } from "@std/assert";
import { withSql } from "../support/sql.ts";
import {
  balanceOf,
  brokenInvariants,
  DIDDLE,
  entriesOf,
  jobsOf,
  newFamily,
  queueVideo,
  stateOf,
  value,
  videoOf,
} from "../support/fixtures.ts";

Deno.test("queueing charges, and makes the video, its attempt, its entry and its queue job", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 30 });
    const { video_id, gem_cost } = await queueVideo(db, family);
    assertEquals(gem_cost, 10);
    assertEquals(await balanceOf(db, family), 20);
    assertEquals((await videoOf(db, video_id)).status, "queued");
    assertEquals(await entriesOf(db, video_id), [{ kind: "charge", amount: -10 }]);
    const [job] = await jobsOf(db, video_id);
    assertEquals(job?.status, "pending");
    assertEquals(
      await db.query("select id, state::text, data from pgboss.job where name = 'submit-runware'"),
      [{ id: job?.id, state: "created", data: { video_job_id: job?.id } }],
    );
    assertEquals(
      await db.query("select stage, percentage from public.video_progress"),
      [{ stage: "initializing", percentage: 0 }],
    );
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("F16 the same idempotency key twenty times at once: one video, one charge, one answer", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 1000 });
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => queueVideo(db, family, { key: "tap-1" })),
    );
    const told = new Set(
      answers.map(({ video_id, estimated_completion }) => `${video_id} ${estimated_completion}`),
    );
    assertEquals(told.size, 1);
    assertEquals(answers.filter((answer) => !answer.replayed).length, 1);
    assertEquals(await balanceOf(db, family), 990);
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("the same idempotency key with another body is refused", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 100 });
    await queueVideo(db, family, { key: "tap-1", hash: "a" });
    assertEquals(await stateOf(queueVideo(db, family, { key: "tap-1", hash: "b" })), "GM002");
    assertEquals(await balanceOf(db, family), 90);
  });
});

Deno.test("F16 the table itself refuses a second video of a user with one idempotency key", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 20 });
    await queueVideo(db, family, { key: "one" });
    await queueVideo(db, family, { key: "two" });
    const call = db.query("update public.videos set idempotency_key = 'one'");
    assertEquals(await stateOf(call), "23505");
  });
});

Deno.test("two users may use the same idempotency key", async () => {
  await withSql(async (db) => {
    const one = await newFamily(db, { gems: 10 });
    const two = await newFamily(db, { gems: 10 });
    const a = await queueVideo(db, one, { key: "tap-1" });
    const b = await queueVideo(db, two, { key: "tap-1" });
    assert(a.video_id !== b.video_id);
  });
});

Deno.test("more videos under way than the limit are refused, also when asked for at once", async () => {
  await withSql(async (db) => {
    await db.query("update app.settings set queue_limit = 3");
    const family = await newFamily(db, { gems: 1000 });
    const states = await Promise.all(
      Array.from({ length: 10 }, () => stateOf(queueVideo(db, family))),
    );
    assertEquals(states.filter((state) => state === "no error").length, 3);
    assertEquals(states.filter((state) => state === "GM004").length, 7);
    assertEquals(await balanceOf(db, family), 970);
  });
});

Deno.test("F20 a child of someone else, an unknown rhyme and a withdrawn one are not found", async () => {
  await withSql(async (db) => {
    const mine = await newFamily(db, { gems: 100 });
    const other = await newFamily(db, { gems: 100 });
    assertEquals(await stateOf(queueVideo(db, { ...mine, childId: other.childId })), "GM005");
    assertEquals(await stateOf(queueVideo(db, mine, { rhymeId: crypto.randomUUID() })), "GM005");
    await db.query("update public.rhymes set is_active = false where id = $1", [DIDDLE]);
    assertEquals(await stateOf(queueVideo(db, mine, { rhymeId: DIDDLE })), "GM005");
    assertEquals(await balanceOf(db, mine), 100);
  });
});

Deno.test("fairness: the second user's first video goes before the first user's second", async () => {
  await withSql(async (db) => {
    const eager = await newFamily(db, { gems: 1000 });
    const patient = await newFamily(db, { gems: 1000 });
    for (let i = 0; i < 5; i++) await queueVideo(db, eager);
    const { video_id } = await queueVideo(db, patient);
    const order = await db.query(
      `select j.video_id from pgboss.job q join public.video_jobs j on j.id = q.id
       where q.name = 'submit-runware' order by q.priority desc, q.created_on`,
    );
    assertEquals(order.findIndex((row) => row["video_id"] === video_id), 1);
  });
});

Deno.test("fairness: a premium user gets premium_weight turns for each turn of the others", async () => {
  await withSql(async (db) => {
    const free = await newFamily(db, { gems: 1000 });
    const premium = await newFamily(db, { gems: 1000, tier: "premium" });
    for (let i = 0; i < 9; i++) {
      await queueVideo(db, free);
      await queueVideo(db, premium);
    }
    const order = await db.query(
      `select v.user_id, j.priority from pgboss.job q
       join public.video_jobs j on j.id = q.id join public.videos v on v.id = j.video_id
       where q.name = 'submit-runware' order by q.priority desc, q.created_on limit 8`,
    );
    const premiumFirst = order.filter((row) => row["user_id"] === premium.userId);
    assertEquals(premiumFirst.length, 6);
    assertEquals(new Set(premiumFirst.map((row) => row["priority"])), new Set([2]));
  });
});

Deno.test("a free rhyme costs nothing and writes no entry", async () => {
  await withSql(async (db) => {
    await db.query("update public.rhymes set gem_cost = 0");
    const family = await newFamily(db);
    const { video_id } = await queueVideo(db, family);
    assertEquals(await entriesOf(db, video_id), []);
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("deleting the account of someone with a video under way leaves nothing broken", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    await queueVideo(db, family);
    await db.query("delete from auth.users where id = $1", [family.userId]);
    assertEquals(await value(db, "select count(*)::int as value from public.videos"), 0);
    assertEquals(await brokenInvariants(db), []);
  });
});
