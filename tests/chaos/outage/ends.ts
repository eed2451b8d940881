/** What an outage must leave behind: nothing. */
import { assertEquals } from "@std/assert";
import { call } from "../../support/app.ts";
import { until } from "../../support/until.ts";
import { brokenInvariants } from "../../support/fixtures.ts";
import { GEMS } from "./customers.ts";
import type { OpenStack } from "./open_stack.ts";

const PRICE = 10;

/** Lets maintain come by, as often as cron would in as many minutes, until every video is over. */
export async function untilAllAreOver(app: OpenStack): Promise<void> {
  await until("all videos are over and nothing is left in the queues", async () => {
    // pg-boss looks for dead workers once a minute; a test has no minute.
    await app.db.query("update pgboss.queue set monitor_on = null, monitor_claim_on = null");
    await call(app, "maintain?wait=1", { headers: { apikey: app.cronKey } });
    const [left] = await app.db.query(
      `select (select count(*)::int from public.videos where status in ('queued', 'processing', 'rendering'))
         + (select count(*)::int from pgboss.job
            where name in ('submit-runware', 'store-video', 'notify-fcm', 'notify-web_push', 'notify-webhook') and state <= 'active') as n`,
    );
    return left?.["n"] === 0 ? true : undefined;
  }, { minutes: 3 });
}

/** Every video completed, paid once, bought once, stored once, told once. */
export async function assertAllIsWell(app: OpenStack, videoIds: readonly string[]): Promise<void> {
  const count = videoIds.length;
  assertEquals(new Set(videoIds).size, count, "one answer for two videos");
  const [found] = await app.db.query(
    `select
       (select count(*)::int from public.videos) as videos,
       (select count(*)::int from public.videos where status = 'completed') as completed,
       (select count(*)::int from public.video_jobs) as attempts,
       (select count(*)::int from public.gem_entries where kind = 'charge') as charges,
       (select count(*)::int from public.gem_entries where kind = 'refund') as refunds,
       (select count(*)::int from public.notifications where kind = 'video_ready') as notices,
       (select count(*)::int from public.notifications) as all_notices,
       (select count(*)::int from storage.objects where bucket_id = 'videos') as objects,
       (select count(*)::int from pgboss.job where state = 'active') as active`,
  );
  assertEquals(found, {
    videos: count,
    completed: count,
    attempts: count,
    charges: count,
    refunds: 0,
    notices: count,
    all_notices: count,
    objects: count,
    active: 0,
  });
  const [gems] = await app.db.query(
    "select sum(gem_balance)::int as left, count(*)::int as people from public.users",
  );
  assertEquals(gems?.["left"], Number(gems?.["people"]) * GEMS - count * PRICE);
  const { counts, tasks } = app.sandbox.control.state();
  assertEquals([counts.tasksAccepted, tasks.length], [count, count], "tasks bought");
  assertEquals(await brokenInvariants(app.db), []);
}
