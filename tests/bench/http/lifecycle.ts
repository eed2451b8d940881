/**
 * lifecycle: what one video costs from queueing to its notice, counted and not timed. Both systems make
 * the same number of videos at once, each of which renders for a minute and then rings. Ours also copies
 * the file to Storage, which the baseline does not.
 */
import { type Bench, expect, flood, inTime, row, until } from "../bench.ts";
import { assertOurs } from "./books.ts";
import { drain, takeDoorbellOff } from "./crowd.ts";
import {
  callWorker,
  functionCalls,
  number,
  people,
  type Person,
  PLATFORM,
  queueOne,
  type Site,
  withBoth,
} from "./sites.ts";

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
      runware: { knobs: { manual: true } },
      settings: PLATFORM,
    } as const;
    return withBoth(server, options, async (ours, naive) => {
      await takeDoorbellOff(ours);
      const crowds = [await people(ours, PEOPLE), await people(naive, PEOPLE)] as const;
      // The log is the whole server's, so nobody else may write into it.
      const [own, peer] = await withoutAutovacuum(
        ours,
        async () => [await runOurs(ours, crowds[0]), await runNaive(naive, crowds[1])] as const,
      );
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
  const submit = await count(() => drain(site, "submit-videos", "queued"));
  let poll = NOTHING;
  let passed = 0;
  for (const due of OURS_DUE) {
    await passTime(site, due - passed);
    passed = due;
    poll = plus(poll, await count(() => callWorker(site, "poll-videos?wait=1")));
  }
  expectPolls(site, OURS_DUE.length);
  const webhook = await count(() => endAll(site));
  const settle = await count(() => drain(site, "poll-videos", "processing"));
  const store = await count(() => drain(site, "store-videos", "rendering"));
  expect("Completed", await is("completed"), VIDEOS);
  expect("Told", await number(site, "select count(*) from public.notifications"), VIDEOS);
  await assertOurs(site);
  return { queue, submit, poll, webhook, settle, store };
}

async function runNaive(site: Site, crowd: readonly Person[]): Promise<Cost> {
  const cost = await counted(site, async () => {
    await queueAll(site, crowd);
    const entries = "select count(*) from public.video_progress";
    await until("all are handed over", async () => await number(site, entries) === VIDEOS);
    for (let n = 0; n < NAIVE_POLLS; n++) await callWorker(site, "poll-videos");
    expectPolls(site, NAIVE_POLLS);
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

/** Each video was asked about so often. */
function expectPolls({ sandbox }: Site, times: number): void {
  expect("Asked about", sandbox.control.state().counts.getResponses, VIDEOS * times);
}

/** All tasks end, and the provider's webhooks are answered. */
async function endAll(site: Site): Promise<void> {
  const { control } = site.sandbox;
  for (const { taskUUID } of control.state().tasks) control.finish(taskUUID);
  const all = control.waitFor(({ counts }) => counts.webhooksDelivered === VIDEOS);
  await inTime("all webhooks are delivered", all);
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

function calls(site: Site): number {
  const { posts, mediaGets } = site.sandbox.control.state().counts;
  return functionCalls(site) + posts + mediaGets;
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

/** The server has no autovacuum while `work` is done. */
async function withoutAutovacuum<T>({ db }: Site, work: () => Promise<T>): Promise<T> {
  await db.query("alter system set autovacuum = off");
  await db.query("select pg_reload_conf()");
  try {
    return await work();
  } finally {
    await db.query("alter system reset autovacuum");
    await db.query("select pg_reload_conf()");
  }
}
