/**
 * submit, poll, webhook: thousands of videos on their way through the workers, each called over HTTP as
 * the platform calls it. The baseline does the same work on a sample.
 */
import { type Bench, type BenchContext, expect, flood, p, row } from "../bench.ts";
import { assertOurs } from "./books.ts";
import { hangDoorbell, queueMany, takeDoorbellOff } from "./crowd.ts";
import { callWorker, number, type Site, withNaive, withOurs } from "./sites.ts";

const SUBMITTED = { ours: 5_000, naive: 200 } as const;
const IN_FLIGHT = 10_000;
const RUNG = { ours: 3_000, naive: 200 } as const;
/** Calls at once: of the baseline's workers, and of webhooks in both. */
const AT_ONCE = 16;

/** What a stage did. */
interface Flow {
  readonly seconds: number;
  /** Videos a second. */
  readonly rate: number;
  /** Calls of the provider's API. */
  readonly posts: number;
}

interface Rung {
  readonly rate: number;
  readonly milliseconds: readonly number[];
}

export const flow: Bench = {
  name: "submit-poll-webhook",
  async run({ server, say }) {
    const options = {
      cron: false,
      // Tasks end when the benchmark says so, and it is the benchmark that calls the webhooks.
      sandbox: { knobs: { manual: true, webhookLost: 1 } },
      settings: { poll_steps: [3_600], quiet_percent: 0 },
    } as const;
    const ours = await withOurs(server, options, (site) => runOurs(site, say));
    const naive = await withNaive(server, options, async (site) => {
      await queueMany(site, SUBMITTED.naive);
      const submit = await submitNaive(site);
      const poll = await measure(site, SUBMITTED.naive, () => callWorker(site, "poll-videos"));
      const webhook = await ringNaive(site);
      return { submit, poll, webhook };
    });
    const beside = { peerName: "naive" } as const;
    return [
      row({
        ...beside,
        name: "submit",
        ours: ours.submit.rate,
        peer: naive.submit.rate,
        unit: "videos/s",
        goal: { ratioAtLeast: 10 },
        note: `${SUBMITTED.ours} videos queued; naive with ${SUBMITTED.naive}, ${AT_ONCE} at once`,
      }),
      row({
        name: "submit, videos a POST",
        ours: SUBMITTED.ours / ours.submit.posts,
        unit: "videos",
        goal: { atLeast: 25 },
      }),
      row({
        ...beside,
        name: "poll",
        ours: ours.poll.rate,
        peer: naive.poll.rate,
        unit: "tasks/s",
        goal: { ratioAtLeast: 20 },
        note: `one sweep over ${IN_FLIGHT} in flight; naive over ${SUBMITTED.naive}`,
      }),
      row({
        name: "poll, tasks a POST",
        ours: IN_FLIGHT / ours.poll.posts,
        unit: "tasks",
        goal: { atLeast: 50 },
      }),
      row({
        ...beside,
        name: "webhook",
        ours: ours.webhook.rate,
        peer: naive.webhook.rate,
        unit: "settled/s",
        goal: { ratioAtLeast: 2 },
        note: `${AT_ONCE} at once, until the last is settled; ours asks the provider about each`,
      }),
      row({
        ...beside,
        name: "webhook p95",
        ours: p(ours.webhook.milliseconds, 0.95),
        peer: p(naive.webhook.milliseconds, 0.95),
        unit: "ms",
        goal: "printed",
      }),
    ];
  },
};

async function runOurs(site: Site, say: BenchContext["say"]) {
  await takeDoorbellOff(site);
  await queueMany(site, SUBMITTED.ours);
  const submit = await measure(site, SUBMITTED.ours, () => submitAll(site));
  expect("Accepted", site.sandbox.control.state().counts.tasksAccepted, SUBMITTED.ours);
  say(`submit: ${Math.round(submit.rate)}/s`);

  await queueMany(site, IN_FLIGHT - SUBMITTED.ours);
  await submitAll(site);
  const processing = "select count(*) from public.video_jobs where status = 'processing'";
  expect("In flight", await number(site, processing), IN_FLIGHT);
  await site.db.query("update public.video_jobs set next_poll_at = now()");
  const due = "select count(*) from public.video_jobs where next_poll_at <= now()";
  const poll = await measure(site, IN_FLIGHT, async () => {
    do await callWorker(site, "poll-videos?wait=1"); while (await number(site, due) > 0);
  });
  expect("Polls", await number(site, "select sum(poll_count) from public.video_jobs"), IN_FLIGHT);
  expect("Asked about", site.sandbox.control.state().counts.getResponses, IN_FLIGHT);
  say(`poll: ${Math.round(poll.rate)}/s`);

  await hangDoorbell(site);
  const webhook = await ringOurs(site);
  await assertOurs(site);
  return { submit, poll, webhook };
}

async function submitAll(site: Site): Promise<void> {
  const queued = "select count(*) from public.videos where status = 'queued'";
  do await callWorker(site, "submit-videos?wait=1"); while (await number(site, queued) > 0);
}

/** A function call each, as many at once as queue calls come in at a busy time. */
async function submitNaive(site: Site): Promise<Flow> {
  const { rows } = await site.db.query<{ id: string }>("select id from public.videos");
  const result = await measure(site, rows.length, async () => {
    await flood({ times: rows.length, inFlight: AT_ONCE }, async (n) => {
      await callWorker(site, "submit-video", { video_id: rows[n]?.id });
    });
  });
  expect("Accepted", site.sandbox.control.state().counts.tasksAccepted, rows.length);
  return result;
}

async function measure(site: Site, videos: number, work: () => Promise<void>): Promise<Flow> {
  const posts = () => site.sandbox.control.state().counts.posts;
  const before = posts();
  const started = performance.now();
  await work();
  const seconds = (performance.now() - started) / 1_000;
  return { seconds, rate: videos / seconds, posts: posts() - before };
}

async function ringOurs(site: Site): Promise<Rung> {
  // The baseline stores nothing, so nobody stores here either: enough seem to be at it.
  await site.db.query(
    `insert into app.drainers (stage, node, lease_until)
     select 'store', n::text, now() + interval '1 hour' from generate_series(1, 32) n`,
  );
  const settled = "select count(*) from public.videos where status = 'rendering'";
  return await ring(site, RUNG.ours, async () => {
    while (await number(site, settled) < RUNG.ours) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  });
}

async function ringNaive(site: Site): Promise<Rung> {
  const rung = await ring(site, RUNG.naive, () => Promise.resolve());
  expect("Told", await number(site, "select count(*) from public.notifications"), RUNG.naive);
  return rung;
}

/** Calls the webhooks of that many tasks that have just ended. Resolves when `settled` does. */
async function ring(site: Site, count: number, settled: () => Promise<void>): Promise<Rung> {
  const { control } = site.sandbox;
  const ended = control.state().tasks.slice(0, count).map(({ taskUUID }) =>
    control.finish(taskUUID)
  );
  const started = performance.now();
  const { milliseconds } = await flood({ times: count, inFlight: AT_ONCE }, async (n) => {
    const task = ended[n];
    const response = await fetch(task?.webhookURL ?? "", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        data: [{
          taskType: "videoInference",
          taskUUID: task?.taskUUID,
          status: "success",
          videoURL: task?.videoURLs[0],
          cost: task?.cost,
        }],
      }),
    });
    await response.body?.cancel();
    expect("A webhook's answer", response.status, 200);
  });
  await settled();
  return { rate: count / ((performance.now() - started) / 1_000), milliseconds };
}
