/**
 * provider calls and idle: what a minute costs, in real time and by the platform's own settings. All of
 * them only count, so they run at once.
 */
import { TWINKLE } from "../../support/fixtures.ts";
import { sleep } from "../../../shared/sleep.ts";
import { type Bench, expect, type Row, row, until } from "../bench.ts";
import { assertOurs } from "./books.ts";
import { keepFromStoring, queueMany } from "./crowd.ts";
import { functionCalls, number, PLATFORM, withOurs } from "./sites.ts";
import type { TestServer } from "../../support/server.ts";

const IN_FLIGHT = 1_000;
/** What the catalogue's model takes, give or take a fifth. */
const RENDER_SECONDS = 60;
const IDLE_SECONDS = 60;
const CRON_SECONDS = 10;

export const minutes: Bench = {
  name: "minutes",
  company: "counts",
  async run({ server }): Promise<Row[]> {
    const [on, off, idle] = await Promise.all([
      providerCalls(server, "on"),
      providerCalls(server, "off"),
      idleMinute(server),
    ]);
    return [
      row({
        name: "provider calls, webhooks on",
        ours: on,
        unit: "calls a video-minute",
        goal: { atMost: 0.05 },
        note: `${IN_FLIGHT} in flight at once for about ${RENDER_SECONDS} s each, in real time; ` +
          "submits and polls, not files",
      }),
      row({
        name: "provider calls, webhooks off",
        ours: off,
        unit: "calls a video-minute",
        goal: { atMost: 0.2 },
      }),
      row({
        name: "idle, function calls",
        ours: idle.calls,
        unit: `in ${IDLE_SECONDS} s`,
        goal: { atMost: 0 },
      }),
      row({
        name: "idle, queries",
        ours: idle.queries,
        unit: `in ${IDLE_SECONDS} s`,
        goal: { atMost: 12 },
        note: "runs of cron's jobs and whatever else reaches the database",
      }),
    ];
  },
};

/** Calls of the provider's API for each minute that each video was in flight. */
function providerCalls(server: TestServer, webhooks: "on" | "off"): Promise<number> {
  const knobs = { renderMs: RENDER_SECONDS * 1_000, renderSpread: 0.2 };
  return withOurs(server, { webhooks, settings: PLATFORM, runware: { knobs } }, async (site) => {
    await site.db.query("select app.schedule_cron($1)", [CRON_SECONDS]);
    // As in a project that runs: the model's time is measured, and the provider's rings do arrive.
    await site.db.query(
      `insert into public.provider_events (provider, video_job_id, hash, payload)
       values ('runware', gen_random_uuid(), 'an earlier ring', '{}')`,
    );
    await site.db.query(
      `insert into app.model_stats (provider, model, median_seconds, samples)
       select r.provider, r.model, $2, 100 from public.rhymes r where r.id = $1`,
      [TWINKLE, RENDER_SECONDS],
    );
    // Files are not what is counted.
    await keepFromStoring(site);
    await queueMany(site, IN_FLIGHT);
    const delivered = "select count(*) from public.video_jobs where status = 'completed'";
    const all = async () => await number(site, delivered) === IN_FLIGHT;
    await until("all are delivered", all, { everyMs: 500 });
    const { counts, tasks } = site.sandbox.control.state();
    expect("Tasks", tasks.length, IN_FLIGHT);
    const inFlight = tasks.reduce(
      (sum, { submittedAt, endedAt }) => sum + ((endedAt ?? NaN) - submittedAt) / 60_000,
      0,
    );
    await assertOurs(site);
    return counts.posts / inFlight;
  });
}

function idleMinute(server: TestServer): Promise<{ calls: number; queries: number }> {
  return withOurs(server, { counted: true, settings: PLATFORM }, async (site) => {
    await site.db.query("select app.schedule_cron($1)", [CRON_SECONDS]);
    const cronRuns = () => number(site, "select count(*) from cron.job_run_details");
    const before = [await cronRuns(), functionCalls(site)] as const;
    site.counters?.wire.reset();
    await sleep(IDLE_SECONDS * 1_000);
    const statements = site.counters?.wire.counts().statements ?? NaN;
    const runs = await cronRuns() - before[0];
    expect("Cron ran all the time", runs >= IDLE_SECONDS / CRON_SECONDS - 1, true);
    return { calls: functionCalls(site) - before[1], queries: runs + statements };
  });
}
