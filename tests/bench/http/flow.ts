/**
 * submit, poll, webhook: thousands of videos on their way through the workers, each called over HTTP as
 * the platform calls it. The baseline does the same work on a sample, half of it before ours and half
 * after it, stage by stage.
 */
import { type Bench, expect, flood, p, row, until } from "../bench.ts";
import { assertOurs } from "./books.ts";
import { drain, hangDoorbell, keepFromStoring, queueMany, takeDoorbellOff } from "./crowd.ts";
import { callWorker, number, type Site, withBoth } from "./sites.ts";

const SUBMITTED = { ours: 5_000, naive: 200 } as const;
const IN_FLIGHT = 10_000;
const RUNG = { ours: 3_000, naive: 200 } as const;
/** Calls at once: of the baseline's workers, and of webhooks in both. */
const AT_ONCE = 16;
/** Goes through all stages first, in both: what a function loads at its first call is `cold`'s to tell. */
const WARM_UP = 1;

/** What was done, or a part of it. */
interface Work {
  readonly videos: number;
  readonly seconds: number;
  /** Calls of the provider's API. */
  readonly posts: number;
  /** Of each call that was timed. */
  readonly milliseconds: readonly number[];
}

export const flow: Bench = {
  name: "submit-poll-webhook",
  run({ server }) {
    const options = {
      cron: false,
      // Tasks end when the benchmark says so, and it is the benchmark that calls the webhooks.
      runware: { knobs: { manual: true, webhookLost: 1 } },
      settings: { poll_steps: [3_600], quiet_percent: 0 },
    } as const;
    return withBoth(server, options, async (ours, naive) => {
      await takeDoorbellOff(ours);
      await keepFromStoring(ours);
      await submitOurs(ours, WARM_UP);
      await pollOurs(ours);
      await submitNaive(naive, WARM_UP);
      await pollNaive(naive);
      await ringNaive(naive, WARM_UP);

      const submit = await between(
        () => submitNaive(naive, SUBMITTED.naive / 2),
        () => submitOurs(ours, SUBMITTED.ours),
      );
      await submitOurs(ours, IN_FLIGHT - SUBMITTED.ours - WARM_UP);
      const poll = await between(() => pollNaive(naive), () => pollOurs(ours));
      await hangDoorbell(ours);
      await ringOurs(ours, WARM_UP);
      const webhook = await between(
        () => ringNaive(naive, RUNG.naive / 2),
        () => ringOurs(ours, RUNG.ours),
      );
      await assertOurs(ours);
      const beside = { peerName: "naive" } as const;
      return [
        row({
          ...beside,
          name: "submit",
          ours: rate(submit.ours),
          peer: rate(submit.naive),
          unit: "videos/s",
          goal: { ratioAtLeast: 10 },
          note:
            `${SUBMITTED.ours} videos queued; naive with ${SUBMITTED.naive}, ${AT_ONCE} at once`,
        }),
        row({
          name: "submit, videos a POST",
          ours: SUBMITTED.ours / submit.ours.posts,
          unit: "videos",
          goal: { atLeast: 25 },
        }),
        row({
          ...beside,
          name: "poll",
          ours: rate(poll.ours),
          peer: rate(poll.naive),
          unit: "tasks/s",
          goal: { ratioAtLeast: 20 },
          note: `one sweep over ${IN_FLIGHT} in flight; naive over ${SUBMITTED.naive}, twice`,
        }),
        row({
          name: "poll, tasks a POST",
          ours: IN_FLIGHT / poll.ours.posts,
          unit: "tasks",
          goal: { atLeast: 50 },
        }),
        row({
          ...beside,
          name: "webhook",
          ours: rate(webhook.ours),
          peer: rate(webhook.naive),
          unit: "settled/s",
          goal: { ratioAtLeast: 2 },
          note: `${AT_ONCE} at once, until the last is settled; ours asks the provider about each`,
        }),
        row({
          ...beside,
          name: "webhook p95",
          ours: p(webhook.ours.milliseconds, 0.95),
          peer: p(webhook.naive.milliseconds, 0.95),
          unit: "ms",
          goal: "printed",
        }),
      ];
    });
  },
};

/** The baseline's two parts around ours. */
async function between(naive: () => Promise<Work>, ours: () => Promise<Work>) {
  const before = await naive();
  const own = await ours();
  const after = await naive();
  const both: Work = {
    videos: before.videos + after.videos,
    seconds: before.seconds + after.seconds,
    posts: before.posts + after.posts,
    milliseconds: [...before.milliseconds, ...after.milliseconds],
  };
  return { ours: own, naive: both };
}

function rate({ videos, seconds }: Work): number {
  return videos / seconds;
}

async function submitOurs(site: Site, videos: number): Promise<Work> {
  await queueMany(site, videos);
  return await measure(
    site,
    { videos, counts: { tasksAccepted: videos } },
    () => drain(site, "submit-videos", "queued"),
  );
}

/** A function call each, as many at once as queue calls come in at a busy time. */
async function submitNaive(site: Site, videos: number): Promise<Work> {
  await queueMany(site, videos);
  const { rows } = await site.db.query<{ id: string }>(
    "select id from public.videos where status = 'queued'",
  );
  return await measure(
    site,
    { videos, counts: { tasksAccepted: videos } },
    () =>
      flood(
        { times: videos, inFlight: AT_ONCE },
        (n) => callWorker(site, "submit-video", { video_id: rows[n]?.id }),
      ),
  );
}

/** One sweep over all that are in flight. */
async function pollOurs(site: Site): Promise<Work> {
  const { rowCount } = await site.db.query(
    "update public.video_jobs set next_poll_at = now() where status = 'processing'",
  );
  const due = "select count(*) from public.video_jobs where next_poll_at <= now()";
  const polls = () => number(site, "select sum(poll_count) from public.video_jobs");
  const videos = rowCount ?? 0;
  const before = await polls();
  const work = await measure(
    site,
    { videos, counts: { getResponses: videos } },
    () =>
      until("nothing is due", async () => {
        await callWorker(site, "poll-videos?wait=1");
        return await number(site, due) === 0;
      }),
  );
  expect("Polls", await polls() - before, videos);
  return work;
}

async function pollNaive(site: Site): Promise<Work> {
  const processing = "select count(*) from public.videos where status = 'processing'";
  const videos = await number(site, processing);
  return await measure(
    site,
    { videos, counts: { getResponses: videos } },
    () => callWorker(site, "poll-videos"),
  );
}

/** Webhooks, until what they tell is settled, for which ours asks the provider about each. */
async function ringOurs(site: Site, videos: number): Promise<Work> {
  const settled = () =>
    number(site, "select count(*) from public.videos where status = 'rendering'");
  const before = await settled();
  return await ring(
    site,
    videos,
    () =>
      until("all are settled", async () => await settled() - before === videos, { everyMs: 10 }),
  );
}

async function ringNaive(site: Site, videos: number): Promise<Work> {
  const told = () => number(site, "select count(*) from public.notifications");
  const before = await told();
  const work = await ring(site, videos, () => Promise.resolve());
  expect("Told", await told() - before, videos);
  return work;
}

/** Calls the webhooks of that many tasks that have just ended. Resolves when `settled` does. */
async function ring(site: Site, videos: number, settled: () => Promise<void>): Promise<Work> {
  const { control } = site.sandbox;
  const ended = control.state().tasks.filter(({ endedAt }) => endedAt === null).slice(0, videos)
    .map(({ taskUUID }) => control.finish(taskUUID));
  const milliseconds: number[] = [];
  const work = await measure(site, { videos, counts: {} }, async () => {
    const rung = await flood({ times: videos, inFlight: AT_ONCE }, async (n) => {
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
    milliseconds.push(...rung.milliseconds);
    await settled();
  });
  return { ...work, milliseconds };
}

/** Times `work`, and throws where the provider did not count what it should have come to. */
async function measure(
  { sandbox: { control } }: Site,
  { videos, counts }: {
    readonly videos: number;
    readonly counts: Partial<Readonly<Record<"tasksAccepted" | "getResponses", number>>>;
  },
  work: () => Promise<unknown>,
): Promise<Work> {
  const before = { ...control.state().counts };
  const started = performance.now();
  await work();
  const seconds = (performance.now() - started) / 1_000;
  const after = control.state().counts;
  const counted = Object.fromEntries(
    Object.keys(counts).map((name) => {
      const key = name as keyof typeof counts;
      return [key, after[key] - before[key]];
    }),
  );
  expect("The provider counted", counted, counts);
  return { videos, seconds, posts: after.posts - before.posts, milliseconds: [] };
}
