/**
 * lifecycle: what one video costs from queueing to its notice, counted and not timed. Both systems make
 * the same number of videos at once, each of which renders for a minute and then rings. Ours also copies
 * the file to Storage, which the baseline does not.
 */
import { type Bench, expect, flood, row } from "../bench.ts";
import { assertOurs } from "./books.ts";
import { takeDoorbellOff } from "./crowd.ts";
import { callWorker, number, people, type Person, queueOne, type Site, withBoth } from "./sites.ts";

const VIDEOS = 150;
const PEOPLE = 10;
const CLIENTS = 16;
/** Seconds after the submit at which a video of a minute is due, by the default `poll_steps`. */
const OURS_DUE = [5, 15, 25, 40, 60] as const;
/** The baseline polls every 15 s. */
const NAIVE_POLLS = 4;

/** What was counted. */
interface Cost {
  readonly roundTrips: number;
  readonly statements: number;
  /** Calls of functions, APIs and the provider, the app's own call included. */
  readonly http: number;
  /** Bytes of write-ahead log. */
  readonly wal: number;
}

const NOTHING: Cost = { roundTrips: 0, statements: 0, http: 0, wal: 0 };

export const lifecycle: Bench = {
  name: "lifecycle",
  run({ server, say }) {
    const options = {
      counted: true,
      cron: false,
      sandbox: { knobs: { manual: true } },
      // The platform's own settings, not those for a sandbox that is done in seconds.
      settings: { poll_steps: [5, 10, 10, 15, 20, 30], quiet_percent: 120 },
    } as const;
    return withBoth(server, options, async (ours, naive) => {
      await takeDoorbellOff(ours);
      const own = await runOurs(ours, await people(ours, PEOPLE));
      const peer = await runNaive(naive, await people(naive, PEOPLE));
      for (const [name, cost] of Object.entries(own)) say(`${name}: ${JSON.stringify(cost)}`);
      say(`naive: ${JSON.stringify(peer)}`);
      const all = Object.values(own).reduce(plus, NOTHING);
      const beside = (name: string, unit: keyof Cost, label: string, goal: number, note?: string) =>
        row({
          name,
          ours: all[unit] / VIDEOS,
          peer: peer[unit] / VIDEOS,
          peerName: "naive",
          unit: label,
          goal: { ratioAtMost: goal },
          ...(note === undefined ? {} : { note }),
        });
      const quarter = 1 / 4;
      const third = 1 / 3;
      return [
        row({
          name: "submit, round trips",
          ours: own.submit.roundTrips / VIDEOS,
          unit: "a video",
          goal: { atMost: 0.3 },
        }),
        row({
          name: "poll, round trips",
          ours: own.poll.roundTrips / VIDEOS / OURS_DUE.length,
          unit: "a task",
          goal: { atMost: 0.1 },
        }),
        beside(
          "lifecycle, SQL",
          "roundTrips",
          "round trips a video",
          quarter,
          "ours with its copy",
        ),
        beside("lifecycle, HTTP", "http", "calls a video", quarter, "ours with its copy"),
        beside("database cost", "statements", "statements a video", third, "as sent by clients"),
        beside("database cost, WAL", "wal", "bytes a video", third, "wal_level = logical"),
      ];
    });
  },
};

async function runOurs(site: Site, crowd: readonly Person[]) {
  const count = (work: () => Promise<void>) => counted(site, work);
  const is = (status: string) =>
    number(site, "select count(*) from public.videos where status = $1", [status]);

  const queue = await count(() => queueAll(site, crowd));
  const submit = await count(async () => {
    while (await is("queued") > 0) await callWorker(site, "submit-videos?wait=1");
  });
  let poll = NOTHING;
  let passed = 0;
  for (const due of OURS_DUE) {
    await passTime(site, due - passed);
    passed = due;
    poll = plus(poll, await count(() => callWorker(site, "poll-videos?wait=1")));
  }
  const webhook = await count(() => endAll(site));
  const settle = await count(async () => {
    while (await is("processing") > 0) await callWorker(site, "poll-videos?wait=1");
  });
  const store = await count(async () => {
    while (await is("rendering") > 0) await callWorker(site, "store-videos?wait=1");
  });
  expect("Completed", await is("completed"), VIDEOS);
  expect("Told", await number(site, "select count(*) from public.notifications"), VIDEOS);
  await assertOurs(site);
  return { queue, submit, poll, webhook, settle, store };
}

async function runNaive(site: Site, crowd: readonly Person[]): Promise<Cost> {
  const cost = await counted(site, async () => {
    await queueAll(site, crowd);
    await site.sandbox.control.waitFor(({ counts }) => counts.tasksAccepted === VIDEOS);
    const processing = "select count(*) from public.video_progress";
    while (await number(site, processing) < VIDEOS) await moment();
    for (let n = 0; n < NAIVE_POLLS; n++) await callWorker(site, "poll-videos");
    await endAll(site);
  });
  expect("Told", await number(site, "select count(*) from public.notifications"), VIDEOS);
  return cost;
}

async function queueAll(site: Site, crowd: readonly Person[]): Promise<void> {
  await flood({ times: VIDEOS, inFlight: CLIENTS }, async (n) => {
    const person = crowd[n % crowd.length];
    if (person !== undefined) await queueOne(site, person);
  });
}

/** All tasks end, and the provider's webhooks are answered. */
async function endAll(site: Site): Promise<void> {
  const { control } = site.sandbox;
  for (const { taskUUID } of control.state().tasks) control.finish(taskUUID);
  await control.waitFor(({ counts }) => counts.webhooksDelivered === VIDEOS);
}

/** So many seconds pass for everything under way. */
async function passTime(site: Site, seconds: number): Promise<void> {
  await site.db.query(
    `update public.video_jobs set next_poll_at = next_poll_at - $1 * interval '1 second',
       submitted_at = submitted_at - $1 * interval '1 second',
       deadline_at = deadline_at - $1 * interval '1 second'
     where status = 'processing'`,
    [seconds],
  );
}

async function counted(site: Site, work: () => Promise<void>): Promise<Cost> {
  if (site.counters === null) throw new Error("This system is not counted");
  const { wire, relay } = site.counters;
  const before = [await lsn(site), calls(site)] as const;
  wire.reset();
  relay.reset();
  await work();
  const { roundTrips, statements } = wire.counts();
  const http = calls(site) - before[1] + relay.count();
  return { roundTrips, statements, http, wal: await lsn(site) - before[0] };
}

function calls({ stack, sandbox }: Site): number {
  const { posts, mediaGets } = sandbox.control.state().counts;
  const functions = [...stack.functions?.requests.values() ?? []];
  return functions.reduce((sum, count) => sum + count, 0) + posts + mediaGets;
}

function lsn(site: Site): Promise<number> {
  return number(site, "select pg_current_wal_insert_lsn() - '0/0'::pg_lsn");
}

function plus(a: Cost, b: Cost): Cost {
  return {
    roundTrips: a.roundTrips + b.roundTrips,
    statements: a.statements + b.statements,
    http: a.http + b.http,
    wal: a.wal + b.wal,
  };
}

function moment(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}
