/** Killing the process of the edge functions while customers are at its door. */
import { assertEquals, assertInstanceOf } from "@std/assert";
import { z } from "zod";
import { type Answer, type Customer, newCustomer, queue } from "../../support/app.ts";
import { until } from "../../support/until.ts";
import type { HandStack } from "../../support/by_hand.ts";

/** Calls that are under way at once. */
const CALLS = 8;
const PRICE = 10;

const books = z.object({ videos: z.number(), charges: z.number(), jobs: z.number() });

/** What is paid, what is made and what is queued, at one moment. */
async function booksOf(app: HandStack, { id }: Customer): Promise<z.infer<typeof books>> {
  const [row] = await app.db.query(
    `select
       (select count(*)::int from public.videos where user_id = $1) as videos,
       (select count(*)::int from public.gem_entries where user_id = $1 and kind = 'charge') as charges,
       (select count(*)::int from public.videos v join public.video_jobs j on j.video_id = v.id
        join pgboss.job q on q.id = j.id where v.user_id = $1) as jobs`,
    [id],
  );
  return books.parse(row);
}

/**
 * A new customer's calls, cut down once `paid` of them are in the books. All are sent again under
 * their keys afterwards.
 */
export async function killAtTheDoor(app: HandStack, paid: number): Promise<void> {
  const customer = await newCustomer(app, { gems: CALLS * PRICE });
  const keys = Array.from({ length: CALLS }, () => crypto.randomUUID());
  // An answer may be cut while the functions come up, too: an app asks again under its key.
  const send = () =>
    Promise.all(
      keys.map((key) =>
        until("a call is answered", () => queue(app, customer, { key }).catch(ignoreCut))
      ),
    );

  // An answer that is cut off on its way says nothing; fetch tells so with a TypeError.
  const first = Promise.allSettled(keys.map((key) => queue(app, customer, { key })));
  await until(
    `${paid} videos are paid`,
    async () => (await booksOf(app, customer)).charges >= paid ? true : undefined,
  );
  await app.functions.kill();
  const { videos, charges, jobs } = await booksOf(app, customer);
  assertEquals([charges, jobs], [videos, videos], "paid, but not queued, or the other way round");
  const heard = await first;
  await app.functions.restart();

  const again = await send();
  assertEquals(again.map(({ status }) => status), keys.map(() => 201));
  heard.forEach((outcome, nth) => {
    if (outcome.status === "rejected") assertInstanceOf(outcome.reason, TypeError);
    else if (outcome.value.status === 201) {
      assertEquals(videoOf(outcome.value), videoOf(again[nth]));
    } else assertEquals(outcome.value.status, 503);
  });
  assertEquals(new Set(again.map(videoOf)).size, CALLS);
  assertEquals(await booksOf(app, customer), { videos: CALLS, charges: CALLS, jobs: CALLS });
}

function ignoreCut(error: unknown): undefined {
  if (!(error instanceof TypeError)) throw error;
}

function videoOf(answer: Answer | undefined): string {
  return z.object({ video_id: z.uuid() }).parse(answer?.body).video_id;
}
