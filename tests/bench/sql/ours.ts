/** The product, called as it calls itself, and what must be true after each run. */
import type pg from "pg";
import { placeTogether } from "../../../shared/doors/queue_orders.ts";
import type { Family } from "../../support/fixtures.ts";
import { TWINKLE } from "../../support/fixtures.ts";
import { expect } from "../bench.ts";
import type { BenchDatabase } from "../database.ts";

/** The provider that all videos here go to. */
export const PROVIDER = "runware";

/** Its queue. */
export const QUEUE = "submit-runware";

/** What TWINKLE costs, in gems. */
export const PRICE = 10;

/** Queues and charges one video through a driver, as a prepared statement, the way PostgREST does it. */
export async function queueOurs(driver: pg.Pool, family: Family): Promise<void> {
  await driver.query({
    name: "queue_video",
    text: "select public.queue_video($1, $2, 'bench', 60, $3) as answer",
    values: [
      family.userId,
      { child_id: family.childId, rhyme_id: TWINKLE },
      crypto.randomUUID(),
    ],
  });
}

/** Queues and charges as the function does: orders that come in while others are placed share a call. */
export function placerOf(driver: pg.Pool): (family: Family) => Promise<void> {
  const placeOrder = placeTogether(async (orders, { wait }) => {
    const { rows: [row] } = await driver.query({
      name: "queue_videos",
      text: "select public.queue_videos($1, $2) as answers",
      values: [JSON.stringify(orders), wait],
    });
    return row.answers;
  });
  return async ({ userId, childId }) => {
    await placeOrder({
      user_id: userId,
      request: { child_id: childId, rhyme_id: TWINKLE },
      input_hash: "bench",
      expected_seconds: 60,
      idempotency_key: crypto.randomUUID(),
    });
  };
}

/** Nothing that the product promises is broken, and the books hold exactly what was sold. */
export async function assertBooks(
  database: BenchDatabase,
  sold: { readonly videos: number },
): Promise<void> {
  await assertLedger(database, sold);
  expect("Violated invariants", await database.rows("select * from app.invariants limit 3"), []);
}

/** The ledger holds exactly what was sold; for databases too large to be looked through whole. */
export async function assertLedger(
  database: BenchDatabase,
  { videos }: { readonly videos: number },
): Promise<void> {
  expect(
    "Videos",
    await database.value("select count(*)::int as value from public.videos"),
    videos,
  );
  expect(
    "Gems charged",
    await database.value(
      "select coalesce(-sum(amount), 0)::int as value from public.gem_entries where kind = 'charge'",
    ),
    videos * PRICE,
  );
  expect(
    "Balances that are not the sum of their entries",
    await database.value(`select count(*)::int as value from public.users u where u.gem_balance <>
      (select coalesce(sum(e.amount), 0) from public.gem_entries e where e.user_id = u.id)`),
    0,
  );
}

/** The provider delivers everything, so that the next round starts with nothing in flight. */
export async function finishAll(database: BenchDatabase): Promise<void> {
  await database.rows(
    `select count(*) from app.settle_video_jobs((
       select coalesce(jsonb_agg(jsonb_build_object(
         'video_job_id', j.id, 'state', 'succeeded', 'video_url', 'https://vm.runware.ai/video/bench.mp4', 'cost_usd', 0.3
       )), '[]')
       from public.video_jobs j where j.status = 'processing'
     ))`,
  );
}
