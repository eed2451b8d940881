/**
 * `deno run -A tests/bench/status_watch.ts`: 500 clients, half of them streams and half long polls, each
 * on a video of its own. Every video changes once, spread over ten seconds, then all of them in one
 * statement. Prints how long after the commit the clients were told, the CPU time of the functions'
 * process, and how often the database was asked; ends with 1 where p95 is above a second.
 */
import { z } from "zod";
import {
  type AppStack,
  asUser,
  BY_HAND,
  type Customer,
  newCustomer,
  withApp,
} from "../support/app.ts";
import { eventsOf } from "../support/events.ts";
import { TWINKLE } from "../support/fixtures.ts";
import { cpuSecondsOf } from "../support/processes.ts";
import { countQuestions } from "../support/questions.ts";

const CLIENTS = 500;
/** As many as one user may have under way. */
const VIDEOS_EACH = 20;
const SPREAD_MS = 10_000;
const GOAL_MS = 1_000;
const FUNCTIONS = "local/functions_host.ts";

/** When each video last changed, by the clock of this process, once its commit was answered. */
type Changes = Map<string, number>;

/** One waiting client, and what it measured. */
interface Watched {
  readonly customer: Customer;
  readonly videoId: string;
}

const polled = z.object({ videos: z.tuple([z.object({ rev: z.number() })]) });

async function videosOf(app: AppStack): Promise<Watched[]> {
  const watched: Watched[] = [];
  while (watched.length < CLIENTS) {
    const customer = await newCustomer(app, { gems: VIDEOS_EACH * 10 });
    for (let i = 0; i < VIDEOS_EACH; i++) {
      const [row] = await app.db.query(
        `select public.queue_video($1, jsonb_build_object('child_id', $2::uuid, 'rhyme_id', $3::uuid), $4, 60)
           ->> 'video_id' as id`,
        [customer.id, customer.childId, TWINKLE, crypto.randomUUID()],
      );
      watched.push({ customer, videoId: z.uuid().parse(row?.["id"]) });
    }
  }
  return watched.slice(0, CLIENTS);
}

/** Counts down to nought, then resolves. */
class Awaited {
  readonly done = Promise.withResolvers<void>();
  constructor(private left: number) {}
  one(): void {
    if (--this.left === 0) this.done.resolve();
  }
}

/** Calls `onNews` for each state after the first, until `signal` aborts. */
async function listen(
  app: AppStack,
  { customer, videoId }: Watched,
  { stream, ready, onNews, signal }: {
    stream: boolean;
    ready: () => void;
    onNews: () => void;
    signal: AbortSignal;
  },
): Promise<void> {
  const url = `${app.supabaseUrl}/functions/v1/video-status?video_id=${videoId}`;
  const headers = asUser(app, customer);
  let isFirst = true;
  const told = () => {
    if (isFirst) ready();
    else onNews();
    isFirst = false;
  };
  if (stream) {
    const response = await fetch(url, {
      headers: { ...headers, accept: "text/event-stream" },
      signal,
    });
    for await (const { event } of eventsOf(response)) if (event === "video") told();
    return;
  }
  for (let rev = 0;;) {
    const response = await fetch(`${url}&wait=100&rev=${rev}`, { headers, signal });
    const now = polled.parse(await response.json()).videos[0].rev;
    if (now > rev) told();
    rev = now;
  }
}

function percentile(sorted: readonly number[], share: number): number {
  return Math.round(sorted[Math.ceil(sorted.length * share) - 1] ?? Infinity);
}

async function run(app: AppStack): Promise<boolean> {
  console.log(`Making ${CLIENTS} videos`);
  const watched = await videosOf(app);
  const questions = await countQuestions(app.db);
  const end = new AbortController();
  const changes: Changes = new Map();
  let delays: number[] = [];
  let awaited = new Awaited(CLIENTS);
  const ready = new Awaited(CLIENTS);
  const clients = watched.map((one, index) =>
    listen(app, one, {
      stream: index % 2 === 0,
      ready: () => ready.one(),
      onNews() {
        // Told before our own statement was answered: no delay at all.
        delays.push(Math.max(0, performance.now() - (changes.get(one.videoId) ?? Infinity)));
        awaited.one();
      },
      signal: end.signal,
    }).catch((error: unknown) => {
      if (!end.signal.aborted) throw error;
    })
  );
  await ready.done.promise;

  /** Changes things in `how`'s way and prints what came of it. */
  const measure = async (name: string, how: () => Promise<unknown>): Promise<boolean> => {
    delays = [];
    awaited = new Awaited(CLIENTS);
    const before = {
      cpu: await cpuSecondsOf(FUNCTIONS),
      at: performance.now(),
      changes: await questions.changes(),
      status: await questions.status(),
    };
    await Promise.all([how(), awaited.done.promise]);
    const seconds = (performance.now() - before.at) / 1_000;
    const cpu = await cpuSecondsOf(FUNCTIONS) - before.cpu;
    const asked = await questions.changes() - before.changes;
    const read = await questions.status() - before.status;
    const sorted = delays.toSorted((a, b) => a - b);
    const p95 = percentile(sorted, 0.95);
    console.log(
      `${name}: told after p50 ${percentile(sorted, 0.5)} ms, p95 ${p95} ms, max ${
        percentile(sorted, 1)
      } ms; in ${seconds.toFixed(1)} s ${
        cpu.toFixed(1)
      } s of CPU, ${asked} questions of the watcher ` +
        `(${(asked / seconds).toFixed(1)}/s), ${read} readings by long polls that came again`,
    );
    return p95 <= GOAL_MS;
  };

  const change = async (ids: readonly string[]) => {
    const before = performance.now();
    for (const id of ids) changes.set(id, before);
    await app.db.query(
      "update public.videos set is_favorite = not is_favorite where id = any ($1)",
      [
        ids,
      ],
    );
    for (const id of ids) changes.set(id, performance.now());
  };
  const ids = watched.map(({ videoId }) => videoId);
  const idle = await measureIdle(questions.changes);
  console.log(`idle: ${idle.toFixed(1)} questions/s while ${CLIENTS} wait and nothing happens`);
  const results = [
    await measure(
      `${CLIENTS} changes over ${SPREAD_MS / 1_000} s`,
      () =>
        Promise.all(ids.map(async (id, index) => {
          await pause(index * SPREAD_MS / CLIENTS);
          await change([id]);
        })),
    ),
    await measure(`${CLIENTS} changes at once`, () => change(ids)),
  ];
  end.abort();
  await Promise.all(clients);
  return results.every(Boolean);
}

async function measureIdle(count: () => Promise<number>): Promise<number> {
  const [before, at] = [await count(), performance.now()];
  await pause(5_000);
  return (await count() - before) / ((performance.now() - at) / 1_000);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

let isMet = false;
await withApp(BY_HAND, async (app) => {
  isMet = await run(app);
});
Deno.exit(isMet ? 0 : 1);
