/** Orders of several users in one call: each is charged, refused or passed over by itself. */
import { assertEquals, assertRejects } from "@std/assert";
import { z } from "zod";
import type { Database, Sql } from "../../shared/db/database.ts";
import {
  balanceOf,
  brokenInvariants,
  entriesOf,
  type Family,
  jobsOf,
  newFamily,
  queueVideo,
  stateOf,
  TWINKLE,
  value,
} from "../support/fixtures.ts";
import { overlapping } from "../support/overlap.ts";
import { withSql } from "../support/sql.ts";

const answer = z.object({
  video: z.object({ video_id: z.uuid(), replayed: z.boolean() }).optional(),
  error: z.object({ code: z.string(), message: z.string(), details: z.string() }).optional(),
  busy: z.literal(true).optional(),
});
type Answer = z.infer<typeof answer>;

interface Order {
  readonly rhymeId?: string;
  readonly childId?: string;
  readonly key?: string;
  readonly hash?: string;
}

const orderOf = (family: Family, { rhymeId = TWINKLE, childId, key, hash }: Order = {}) => ({
  user_id: family.userId,
  request: { child_id: childId ?? family.childId, rhyme_id: rhymeId },
  input_hash: hash ?? "hash",
  expected_seconds: 60,
  idempotency_key: key ?? null,
});

async function queueVideos(
  sql: Sql,
  orders: readonly ReturnType<typeof orderOf>[],
  wait = false,
): Promise<Answer[]> {
  const call = "select public.queue_videos($1, $2) as value";
  return z.array(answer).parse(await value(sql, call, [JSON.stringify(orders), wait]));
}

const newFamilies = async (db: Database, many: number, gems = 10): Promise<Family[]> => {
  const families: Family[] = [];
  for (let n = 0; n < many; n++) families.push(await newFamily(db, { gems }));
  return families;
};

/** How an answer begins, for tests in which that is enough. */
const kindOf = ({ video, error, busy }: Answer) =>
  busy ? "busy" : error?.code ?? (video?.replayed ? "replayed" : "video");

const count = (sql: Sql, table: string) =>
  value(sql, `select count(*)::int as value from ${table}`);

Deno.test("orders of many: each is charged its own, and answered with its own video", async () => {
  await withSql(async (db) => {
    const families = await newFamilies(db, 12);
    const answers = await queueVideos(db, families.map((family) => orderOf(family)));
    assertEquals(answers.map(kindOf), families.map(() => "video"));
    for (const [at, { video }] of answers.entries()) {
      const family = families[at];
      const id = video?.video_id ?? "";
      const owner = await value(db, "select user_id as value from public.videos where id = $1", [
        id,
      ]);
      assertEquals(owner, family?.userId);
      assertEquals(await entriesOf(db, id), [{ kind: "charge", amount: -10 }]);
      const [job] = await jobsOf(db, id);
      assertEquals(
        await db.query("select data from pgboss.job where name = 'submit-runware' and id = $1", [
          job?.id,
        ]),
        [{ data: { video_job_id: job?.id } }],
      );
    }
    assertEquals(await value(db, "select sum(gem_balance)::int as value from public.users"), 0);
    assertEquals(await count(db, "public.video_progress"), 12);
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("F29 an order that is refused says why and keeps nobody else from their video", async () => {
  await withSql(async (db) => {
    const [rich, stranger, twice, busy, last] = await newFamilies(db, 5, 30);
    const poor = await newFamily(db, { gems: 9 });
    if (!rich || !stranger || !twice || !busy || !last) throw new Error("Nobody is there");
    await queueVideo(db, twice, { key: "tap", hash: "another body" });
    await queueVideo(db, busy);
    await db.query("update app.settings set queue_limit = 1");
    const nobody = { userId: crypto.randomUUID(), childId: rich.childId };
    const answers = await queueVideos(db, [
      orderOf(rich),
      orderOf(poor),
      orderOf(stranger, { childId: rich.childId }),
      orderOf(twice, { key: "tap" }),
      orderOf(busy),
      orderOf(nobody),
      orderOf(last),
    ]);
    assertEquals(answers.map(kindOf), [
      ...["video", "GM001", "GM005", "GM002", "GM004", "GM005", "video"],
    ]);
    const unknown = orderOf(last, { childId: crypto.randomUUID() });
    assertEquals((await queueVideos(db, [unknown])).map(kindOf), ["busy"]);
    assertEquals((await queueVideos(db, [unknown], true)).map(kindOf), ["GM005"]);
    const [, tooPoor, notTheirs] = answers;
    assertEquals(JSON.parse(tooPoor?.error?.details ?? ""), { gem_balance: 9, gem_cost: 10 });
    assertEquals(JSON.parse(notTheirs?.error?.details ?? ""), { field: "child_id" });
    assertEquals(await balanceOf(db, poor), 9);
    assertEquals([await balanceOf(db, rich), await balanceOf(db, last)], [20, 20]);
    assertEquals(await count(db, "public.videos"), 4);
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("alone, a refused order is told with the same words and details as by queue_video", async () => {
  await withSql(async (db) => {
    const poor = await newFamily(db, { gems: 9 });
    const [{ error } = {}] = await queueVideos(db, [orderOf(poor)], true);
    const thrown = await assertRejects(() => queueVideo(db, poor));
    const { message, detail } = z.object({ message: z.string(), detail: z.string() }).parse(thrown);
    assertEquals([error?.message, error?.details], [message, detail]);
  });
});

Deno.test("F16 a repeated key is answered with the first video, beside others' new ones", async () => {
  await withSql(async (db) => {
    const [one, two] = await newFamilies(db, 2, 30);
    if (!one || !two) throw new Error("Nobody is there");
    const first = await queueVideo(db, one, { key: "tap" });
    const answers = await queueVideos(db, [orderOf(one, { key: "tap" }), orderOf(two)]);
    assertEquals(answers.map(kindOf), ["replayed", "video"]);
    assertEquals(answers[0]?.video?.video_id, first.video_id);
    assertEquals([await balanceOf(db, one), await balanceOf(db, two)], [20, 20]);
  });
});

Deno.test("F02 two orders of one user in a call: the second is passed over, whatever gems there are", async () => {
  await withSql(async (db) => {
    const [mine, other] = await newFamilies(db, 2, 100);
    if (!mine || !other) throw new Error("Nobody is there");
    const order = orderOf(mine, { key: "tap" });
    const answers = await queueVideos(db, [order, orderOf(other), order]);
    assertEquals(answers.map(kindOf), ["video", "video", "busy"]);
    assertEquals(await balanceOf(db, mine), 90);
    assertEquals((await queueVideos(db, [order], true)).map(kindOf), ["replayed"]);
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("whom somebody else holds is passed over and not waited for; alone, it is waited", async () => {
  await withSql(async (db) => {
    const [held, free] = await newFamilies(db, 2);
    if (!held || !free) throw new Error("Nobody is there");
    const grant = (sql: Sql) =>
      sql.query("select public.grant_gems($1, 5, 'grant', 'Test', 'gift')", [held.userId]);
    const passing = await overlapping(
      db,
      grant,
      () => queueVideos(db, [orderOf(held), orderOf(free)]),
    );
    assertEquals(passing.second.map(kindOf), ["busy", "video"]);
    assertEquals(passing.waited, false);
    const waiting = await overlapping(
      db,
      (sql) => queueVideos(sql, [orderOf(held)]),
      () => queueVideos(db, [orderOf(held)], true),
    );
    // 15 gems, and the second looked at what the first left.
    assertEquals(waiting.second.map(kindOf), ["GM001"]);
    assertEquals(waiting.waited, true);
    assertEquals(await balanceOf(db, held), 5);
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("a turn is waited for two seconds and no longer: who holds a user takes no connections from others", async () => {
  await withSql(async (db) => {
    const [held] = await newFamilies(db, 1);
    if (!held) throw new Error("Nobody is there");
    const hold = (sql: Sql) =>
      sql.query("select from public.users where id = $1 for update", [held.userId]);
    const calls = [
      () => queueVideos(db, [orderOf(held)], true),
      () => db.query("select public.queue_clips($1, null, '[]')", [held.userId]),
    ];
    for (const call of calls) {
      let ended: Promise<string> | undefined;
      const { second } = await overlapping(
        db,
        hold,
        () => ended = stateOf(call()),
        // Held until the call has ended by itself.
        async () => await ended,
      );
      assertEquals(second, "55P03");
    }
    assertEquals(await balanceOf(db, held), 10);
  });
});

Deno.test("a child that is being forgotten is not waited for by a call of many", async () => {
  await withSql(async (db) => {
    const [parent, other] = await newFamilies(db, 2);
    if (!parent || !other) throw new Error("Nobody is there");
    const forget = (sql: Sql) =>
      sql.query("delete from public.children where id = $1", [parent.childId]);
    const { second, waited } = await overlapping(
      db,
      forget,
      () => queueVideos(db, [orderOf(parent), orderOf(other)]),
    );
    assertEquals([second.map(kindOf), waited], [["busy", "video"], false]);
    const alone = await queueVideos(db, [orderOf(parent)], true);
    assertEquals(alone.map(kindOf), ["GM005"]);
    assertEquals([await balanceOf(db, parent), await balanceOf(db, other)], [10, 0]);
  });
});

Deno.test("two calls with the same users in opposite order never wait in a circle", async () => {
  await withSql(async (db) => {
    const families = await newFamilies(db, 8, 1_000);
    const orders = families.map((family) => orderOf(family));
    const place = async (wanted: readonly ReturnType<typeof orderOf>[]) => {
      const answers = await queueVideos(db, wanted);
      return answers.map(kindOf);
    };
    const rounds = await Promise.all(
      Array.from({ length: 20 }, (_, n) => place(n % 2 === 0 ? orders : orders.toReversed())),
    );
    const kinds = rounds.flat();
    const made = kinds.filter((kind) => kind === "video").length;
    assertEquals(kinds.filter((kind) => kind === "busy").length, kinds.length - made);
    assertEquals(await count(db, "public.videos"), made);
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("what is nobody's refusal undoes the whole call", async () => {
  await withSql(async (db) => {
    const [one, two] = await newFamilies(db, 2);
    if (!one || !two) throw new Error("Nobody is there");
    const call = queueVideos(db, [orderOf(one), orderOf(two, { rhymeId: "no id at all" })]);
    assertEquals(await stateOf(call), "22P02");
    assertEquals([await balanceOf(db, one), await balanceOf(db, two)], [10, 10]);
    assertEquals(await count(db, "public.videos"), 0);
    assertEquals(await count(db, "pgboss.job"), 0);
  });
});

Deno.test("fairness: in one call, too, each one's place follows from their own tag, price and weight", async () => {
  await withSql(async (db) => {
    const [plain, eager] = await newFamilies(db, 2, 100);
    const premium = await newFamily(db, { gems: 100, tier: "premium" });
    if (!plain || !eager) throw new Error("Nobody is there");
    await queueVideo(db, eager);
    await queueVideos(db, [eager, plain, premium].map((family) => orderOf(family)));
    const order = await db.query(
      `select v.user_id, -q.priority as tag, v.is_premium, j.priority
       from pgboss.job q join public.video_jobs j on j.id = q.id join public.videos v on v.id = j.video_id
       order by q.priority desc, v.user_id = $1`,
      [plain.userId],
    );
    assertEquals(order, [
      { user_id: premium.userId, tag: 4, is_premium: true, priority: 2 },
      { user_id: eager.userId, tag: 10, is_premium: false, priority: 1 },
      { user_id: plain.userId, tag: 10, is_premium: false, priority: 1 },
      { user_id: eager.userId, tag: 20, is_premium: false, priority: 1 },
    ]);
  });
});

Deno.test("orders for several providers: each attempt is in its provider's queue", async () => {
  await withSql(async (db) => {
    const [one, two] = await newFamilies(db, 2, 100);
    if (!one || !two) throw new Error("Nobody is there");
    const request = {
      kind: "prompt",
      prompt: "A duck",
      provider: "kie",
      model: "hailuo/02-standard",
      options: { duration: 6, resolution: "768p" },
    };
    const answers = await queueVideos(db, [
      { ...orderOf(one), request: { ...orderOf(one).request, ...request } },
      orderOf(two),
    ]);
    assertEquals(answers.map(kindOf), ["video", "video"]);
    const queues = await db.query(
      `select q.name, j.provider from pgboss.job q join public.video_jobs j on j.id = q.id order by 1`,
    );
    assertEquals(queues, [
      { name: "submit-kie", provider: "kie" },
      { name: "submit-runware", provider: "runware" },
    ]);
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("videos are not added without their charge, whoever drafted them", async () => {
  await withSql(async (db) => {
    const [rich, poor] = await newFamilies(db, 2);
    if (!rich || !poor) throw new Error("Nobody is there");
    const drafts = [rich, poor].map(({ userId, childId }) => ({ userId, childId }));
    await db.query("update public.rhymes set gem_cost = 11 where id = $1", [TWINKLE]);
    const call = db.query(
      `select app.add_videos(array_agg(app.draft_video(d."userId", jsonb_build_object('child_id', d."childId", 'rhyme_id', $2::uuid))), '{60,60}')
       from jsonb_to_recordset($1) as d ("userId" uuid, "childId" uuid)`,
      [JSON.stringify(drafts), TWINKLE],
    );
    assertEquals(await stateOf(call), "GM001");
    assertEquals(await count(db, "public.videos"), 0);
    assertEquals([await balanceOf(db, rich), await balanceOf(db, poor)], [10, 10]);
  });
});
