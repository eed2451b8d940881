/**
 * provider calls and idle: what a minute costs, in real time and by the platform's own settings. All of
 * them only count, so they run at once.
 */
import { TWINKLE } from "../../support/fixtures.ts";
import { type Bench, expect, type Row, row } from "../bench.ts";
import { assertOurs } from "./books.ts";
import { queueMany } from "./crowd.ts";
import { number, type Site, withOurs } from "./sites.ts";
import type { TestServer } from "../../support/server.ts";

const IN_FLIGHT = 1_000;
/** What the catalogue's model takes, give or take a fifth. */
const RENDER_SECONDS = 60;
const IDLE_SECONDS = 60;
const CRON_SECONDS = 10;
/** What applies where the provider is no sandbox; the local stack is more curious. */
const PLATFORM = { poll_steps: [5, 10, 10, 15, 20, 30], quiet_percent: 120 } as const;

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
  return withOurs(server, { webhooks, settings: PLATFORM, sandbox: { knobs } }, async (site) => {
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
    // Files are not what is counted: enough seem to be copying already.
    await site.db.query(
      `insert into app.drainers (stage, node, lease_until)
       select 'store', n::text, now() + interval '1 hour' from generate_series(1, 32) n`,
    );
    await queueMany(site, IN_FLIGHT);
    await delivered(site);
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

async function delivered(site: Site): Promise<void> {
  const done = "select count(*) from public.video_jobs where status = 'completed'";
  while (await number(site, done) < IN_FLIGHT) await pause(500);
}

function idleMinute(server: TestServer): Promise<{ calls: number; queries: number }> {
  return withOurs(server, { counted: true, settings: PLATFORM }, async (site) => {
    await site.db.query("select app.schedule_cron($1)", [CRON_SECONDS]);
    const runs = () => number(site, "select count(*) from cron.job_run_details");
    const calls = () => [...site.stack.functions?.requests.values() ?? []].length;
    const before = await runs();
    site.counters?.wire.reset();
    await pause(IDLE_SECONDS * 1_000);
    const other = site.counters?.wire.counts().statements ?? NaN;
    return { calls: calls(), queries: await runs() - before + other };
  });
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
