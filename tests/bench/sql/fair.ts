/** fair: one user has a hundred thousand videos waiting; how soon is everybody else served, and how evenly? */
import { openDatabase } from "../../../shared/db/database.ts";
import { openQueue } from "../../../shared/db/queue.ts";
import { type Family, queueVideo } from "../../support/fixtures.ts";
import { quiet } from "../../support/sql.ts";
import { type Bench, type BenchContext, expect, flood, mean, p, type Row, row } from "../bench.ts";
import type { BenchDatabase } from "../database.ts";
import { addBulk } from "./bulk.ts";
import { liftLimits, newCrowd } from "./crowd.ts";
import { assertBooks, QUEUE } from "./ours.ts";
import { addToBoss, PEER_QUEUE, withBoss } from "./peers.ts";
import { BATCH, startWorker } from "./worker.ts";

const BIG = 100_000;
const SMALL_USERS = 1_000;
/** Everyone with a single video is to be among so many. */
const FIRST = 1_100;
const EQUAL_USERS = 100;
const EACH = 18;
/** Claims of one video each; the rest are claimed by the batch. */
const SINGLES = 300;
const PEER_SINGLES = 25;

export const fair: Bench = {
  name: "fair",
  run: async (context) => [...await crowdOut(context), ...await equals(context)],
};

/** Everything one user's, and a thousand who want one video each. */
async function crowdOut({ withDatabase }: BenchContext): Promise<Row[]> {
  return await withDatabase(async (database) => {
    await liftLimits(database);
    const [giant] = await newCrowd(database, 1);
    if (giant === undefined) throw new Error("Nobody signed up");
    await addBulk(database, { count: BIG, status: "queued", owners: [giant] });
    const crowd = await newCrowd(database, SMALL_USERS);
    await queueOneEach(database, crowd);

    const fetches = await fetchOneByOne(database);
    const single = await claim(database, { count: SINGLES, batch: 1 });
    const many = await claim(database, { count: FIRST - SINGLES, batch: BATCH });
    const small = new Set(crowd.map(({ userId }) => userId));
    const served = [...single.order, ...many.order].filter((user) => small.has(user)).length;
    await assertBooks(database, { videos: BIG + SMALL_USERS });
    const peer = await peerClaims(database);
    const peerName = "pg-boss groupConcurrency 2";
    const common = {
      peerName,
      note:
        `all of a claim, which takes the slots, videos and attempts with it; pg-boss's is its bare fetch`,
    };
    return [
      row({
        name: "fair, fetches one by one",
        ours: 1_000 / mean(fetches),
        peer: 1_000 / mean(peer.single),
        peerName,
        unit: "fetches/s",
        goal: { ratioAtLeast: 20 },
        note: "the same work at both: one job leaves the queue, in a statement of its own",
      }),
      row({
        name: "fair, one fetch",
        ours: p(fetches, 0.5),
        peer: p(peer.single, 0.5),
        peerName,
        unit: "ms p50",
        goal: "printed",
      }),
      row({
        name: "fair, claims one by one",
        ours: 1_000 / mean(single.milliseconds),
        peer: 1_000 / mean(peer.single),
        unit: "claims/s",
        goal: "printed",
        ...common,
      }),
      row({
        name: "fair, one claim",
        ours: p(single.milliseconds, 0.5),
        peer: p(peer.single, 0.5),
        unit: "ms p50",
        goal: "printed",
        ...common,
      }),
      row({
        name: `fair, a claim of ${BATCH}`,
        ours: p(many.milliseconds, 0.5),
        peer: p(peer.many, 0.5),
        unit: "ms p50",
        goal: "printed",
        ...common,
      }),
      row({
        name: `fair, small users in the first ${FIRST}`,
        ours: served,
        unit: `of ${SMALL_USERS}`,
        goal: { atLeast: SMALL_USERS },
      }),
    ];
  });
}

/** A hundred users with the same wishes, one after the other; then half of them premium. */
async function equals({ withDatabase }: BenchContext): Promise<Row[]> {
  const alike = await withDatabase(async (database) => {
    await liftLimits(database);
    const users = await newCrowd(database, EQUAL_USERS);
    // Each queues all of theirs before the next one comes: the worst order for those who come late.
    for (const user of users) await queueMany(database, user, EACH);
    const { order } = await claim(database, { count: EQUAL_USERS * EACH / 2 });
    assertWaitBound(order, users.map(({ userId }) => userId));
    await assertBooks(database, { videos: EQUAL_USERS * EACH });
    return jain(users.map(({ userId }) => order.filter((one) => one === userId).length));
  });
  const weight = await withDatabase(async (database) => {
    await liftLimits(database);
    const plain = await newCrowd(database, EQUAL_USERS / 2);
    const premium = await newCrowd(database, EQUAL_USERS / 2, { tier: "premium" });
    for (const user of [...plain, ...premium]) await queueMany(database, user, EACH);
    const { order } = await claim(database, { count: EQUAL_USERS * EACH / 3 });
    const first = new Set(premium.map(({ userId }) => userId));
    const share = order.filter((user) => first.has(user)).length;
    await assertBooks(database, { videos: EQUAL_USERS * EACH });
    return share / (order.length - share);
  });
  return [
    row({
      name: `fair, Jain index of ${EQUAL_USERS} equal users`,
      ours: alike,
      unit: "of 1",
      goal: { atLeast: 0.95 },
      note:
        `the k-th video of a user was claimed among the first k x ${EQUAL_USERS} + ${BATCH}, for each of them`,
    }),
    row({
      name: "fair, premium beside plain",
      ours: weight,
      unit: "x as many",
      note:
        "premium_weight 3 and a price of 10: 10 / 3 is rounded up to 4, so 2.5 of them in the long run",
      goal: { atLeast: 2 },
    }),
  ];
}

/**
 * The bound on a wait: with equal prices and weights, a user's k-th waiting video stands behind at most
 * k videos of each other user; a batch may hold it back by its own size.
 */
function assertWaitBound(order: readonly string[], users: readonly string[]): void {
  const counts = new Map(users.map((user) => [user, 0]));
  for (const [position, user] of order.entries()) {
    const k = (counts.get(user) ?? 0) + 1;
    counts.set(user, k);
    if (position + 1 > k * users.length + BATCH) {
      throw new Error(
        `Video ${k} of a user came at place ${position + 1} of ${users.length} users`,
      );
    }
  }
  // And nobody is behind whose next one should have come.
  const least = Math.floor((order.length - BATCH) / users.length);
  for (const [user, count] of counts) {
    if (count < least) throw new Error(`${user} was served ${count} times, not ${least}`);
  }
}

/** 1 when all have the same, 1/n when one has everything. */
function jain(shares: readonly number[]): number {
  const sum = shares.reduce((total, share) => total + share, 0);
  return sum ** 2 / (shares.length * shares.reduce((total, share) => total + share ** 2, 0));
}

/** Claims so many. Answers whose they were, in order, and what each claim took. */
async function claim(
  database: BenchDatabase,
  { count, batch = BATCH }: { readonly count: number; readonly batch?: number },
): Promise<{ order: string[]; milliseconds: readonly number[] }> {
  const worker = await startWorker(database.url, { batch });
  try {
    while (worker.handedOver.length < count) expect("Claimed", await worker.submit(), batch);
    const owners = await database.rows<{ id: string; user_id: string }>(
      "select j.id, v.user_id from public.video_jobs j join public.videos v on v.id = j.video_id where j.id = any ($1)",
      [worker.handedOver],
    );
    const ownerOf = new Map(owners.map((one) => [one.id, one.user_id]));
    return {
      order: worker.handedOver.map((id) => ownerOf.get(id) ?? ""),
      milliseconds: worker.claims,
    };
  } finally {
    await worker.close();
  }
}

/**
 * Milliseconds of fetches of one, in fair order, each a statement of its own. Whoever was fetched goes back into the
 * queue afterwards.
 */
async function fetchOneByOne(database: BenchDatabase): Promise<number[]> {
  const db = openDatabase(database.url, { log: quiet });
  const queue = openQueue(db, quiet);
  const milliseconds: number[] = [];
  try {
    await queue.ready();
    for (let n = 0; n < SINGLES; n++) {
      const start = performance.now();
      const jobs = await queue.fetch(db, QUEUE, 1);
      milliseconds.push(performance.now() - start);
      expect("Fetched", jobs.length, 1);
    }
  } finally {
    await queue.close();
    await db.close();
  }
  const back = await database.rows(
    "update pgboss.job set state = 'created', started_on = null where name = $1 and state = 'active' returning id",
    [QUEUE],
  );
  expect("Fetched and put back", back.length, SINGLES);
  await database.rows("vacuum (analyze) pgboss.job");
  return milliseconds;
}

async function queueOneEach(database: BenchDatabase, crowd: readonly Family[]): Promise<void> {
  const db = openDatabase(database.url, { log: quiet, max: 4 });
  await flood({ times: crowd.length, inFlight: 4 }, async (n) => {
    const family = crowd[n];
    if (family) await queueVideo(db, family);
  });
  await db.close();
}

async function queueMany(database: BenchDatabase, family: Family, count: number): Promise<void> {
  await database.rows(
    `select count(public.queue_video($1, jsonb_build_object('child_id', $2::uuid,
       'rhyme_id', (select r.id from public.rhymes r where r.slug like 'twinkle%')), 'bench', 60, null))
     from generate_series(1, $3)`,
    [family.userId, family.childId, count],
  );
}

/**
 * The same by pg-boss: groups instead of users, at most two of a group at once. What is claimed stays
 * active, as a render does. Milliseconds of fetches of one and of many.
 */
async function peerClaims(database: BenchDatabase) {
  return await withBoss(database, { connections: 4 }, async (boss) => {
    await addToBoss(boss, Array.from({ length: BIG }, () => ({ group: { id: "giant" } })));
    await addToBoss(
      boss,
      Array.from({ length: SMALL_USERS }, (_, n) => ({ group: { id: `small-${n}` } })),
    );
    await database.rows("vacuum (analyze) peer_boss.job");
    const times = async (fetches: number, batchSize: number) => {
      const milliseconds: number[] = [];
      for (let n = 0; n < fetches; n++) {
        const start = performance.now();
        const jobs = await boss.fetch(PEER_QUEUE, { batchSize, groupConcurrency: 2 });
        milliseconds.push(performance.now() - start);
        expect("Fetched", jobs.length, batchSize);
      }
      return milliseconds;
    };
    // The first two are the giant's; what comes then is the work that is compared.
    await times(2, 1);
    const figures = { single: await times(PEER_SINGLES, 1), many: await times(5, BATCH) };
    expect(
      "Active jobs of the giant",
      await database.value(
        "select count(*)::int as value from peer_boss.job where group_id = 'giant' and state = 'active'",
      ),
      2,
    );
    return figures;
  });
}
