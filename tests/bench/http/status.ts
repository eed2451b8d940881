/**
 * status: 500 apps wait for a video each. The videos are completed, spread over ten seconds and then
 * all at once, and each app must be told, with a link that was signed for it.
 */
import { TWINKLE } from "../../support/fixtures.ts";
import { openDatabase } from "../../../shared/db/database.ts";
import { countQuestions } from "../../support/questions.ts";
import { quiet } from "../../support/sql.ts";
import { adminClient } from "../../support/users.ts";
import { sleep } from "../../../shared/sleep.ts";
import { type Bench, expect, flood, p, type Row, row } from "../bench.ts";
import { assertOurs } from "./books.ts";
import { drain, takeDoorbellOff } from "./crowd.ts";
import { type CpuSeconds, cpuSeconds } from "./proc.ts";
import { people, type Person, type Site, withOurs } from "./sites.ts";
import { waitForAll, type Watched } from "./waiting.ts";

const APPS = 500;
const OWNERS = 25;
const SPREAD_MS = 10_000;
const IDLE_MS = 5_000;
const GOAL_MS = 1_000;
/** An app that is told nothing for so long was forgotten: a long poll ends after 100 s by itself. */
const PATIENCE_MS = 90_000;

/** What was used between two moments. */
interface Used {
  readonly seconds: number;
  /** Questions of the watcher, and readings for one app. */
  readonly questions: number;
  readonly cpu: CpuSeconds;
}

type Meter = <T>(work: () => Promise<T>) => Promise<{ result: T; used: Used }>;

export const status: Bench = {
  name: "status",
  run({ server, say }) {
    const options = {
      cron: false,
      webhooks: "off",
      runware: { knobs: { manual: true } },
      settings: { poll_steps: [3_600], quiet_percent: 0 },
    } as const;
    return withOurs(server, options, async (site) => {
      await takeDoorbellOff(site);
      const owners = await people(site, OWNERS);
      const database = openDatabase(site.stack.databaseUrl, { log: quiet, max: 2 });
      try {
        const meter = createMeter(site, await countQuestions(database));
        say("the first 500 videos");
        const spread = await round(site, owners, meter, {
          complete: completeSpread,
          idleMs: IDLE_MS,
        });
        say("the second 500 videos");
        const atOnce = await round(site, owners, meter, { complete: completeAtOnce, idleMs: 0 });
        await assertOurs(site);
        return [
          ...rowsOf(`over ${SPREAD_MS / 1_000} s`, spread.delays, spread.used),
          ...rowsOf("at once", atOnce.delays, atOnce.used),
          row({
            name: "status, questions while waiting",
            ours: spread.idle.questions / spread.idle.seconds,
            unit: "1/s",
            goal: { atMost: 10 },
            note: `${APPS} apps wait and nothing happens; ${cpuWords(spread.idle)}`,
          }),
        ];
      } finally {
        await database.close();
      }
    });
  },
};

function rowsOf(how: string, delays: readonly number[], used: Used): Row[] {
  return [
    row({
      name: `status, told p95, ${how}`,
      ours: p(delays, 0.95),
      unit: "ms",
      goal: { atMost: GOAL_MS },
      note: `${APPS} completed ${how}; told after p50 ${Math.round(p(delays, 0.5))} ms, the last ${
        Math.round(p(delays, 1))
      } ms; ${cpuWords(used)}`,
    }),
    row({
      name: `status, questions, ${how}`,
      ours: used.questions / used.seconds,
      unit: "1/s",
      goal: "printed",
    }),
    ...(["functions", "gateway", "postgres"] as const).map((process) =>
      row({
        name: `status, CPU of ${process}, ${how}`,
        ours: used.cpu[process],
        unit: "s",
        goal: "printed",
        ...(process === "gateway" ? { note: "with the local APIs behind it, and the apps" } : {}),
      })
    ),
  ];
}

function cpuWords({ seconds, cpu }: Used): string {
  const share = (used: number) => `${Math.round(used / seconds * 100)}%`;
  return `of a core in ${seconds.toFixed(1)} s: functions ${share(cpu.functions)}, gateway ${
    share(cpu.gateway)
  }, Postgres ${share(cpu.postgres)}`;
}

/** Apps wait for videos that are about to be completed, at first in vain. */
async function round(
  site: Site,
  owners: readonly Person[],
  meter: Meter,
  { complete, idleMs }: {
    readonly complete: (site: Site, ids: readonly string[]) => Promise<ReadonlyMap<string, number>>;
    /** How long nothing happens before it does. */
    readonly idleMs: number;
  },
) {
  const watched = await deliveredVideos(site, owners);
  const waiting = await waitForAll(site, watched, { patienceMs: PATIENCE_MS });
  const { used: idle } = await meter(() => sleep(idleMs));
  const ids = watched.map(({ videoId }) => videoId);
  const { result: [told, changed], used } = await meter(() =>
    Promise.all([waiting.told, complete(site, ids)])
  );
  expect("Apps that were told", told.size, APPS);
  // Told before our own statement was answered: no delay at all.
  const delays = ids.map((id) => Math.max(0, (told.get(id) ?? NaN) - (changed.get(id) ?? NaN)));
  return { delays, idle, used };
}

/** Videos whose files are in Storage already, so that completing them is all that is left. */
async function deliveredVideos(site: Site, owners: readonly Person[]): Promise<Watched[]> {
  await site.db.query(
    `select public.queue_video(
       c.user_id, jsonb_build_object('child_id', c.id, 'rhyme_id', $2::uuid), 'bench', 60, gen_random_uuid()::text
     )
     from generate_series(1, $1) n cross join public.children c`,
    [APPS / OWNERS, TWINKLE],
  );
  await drain(site, "submit-videos", "queued");
  for (const { taskUUID } of site.sandbox.control.state().tasks) {
    site.sandbox.control.finish(taskUUID);
  }
  await site.db.query(
    "update public.video_jobs set next_poll_at = now() where status = 'processing'",
  );
  await drain(site, "poll-videos", "processing");
  const { rows } = await site.db.query<{ id: string; user_id: string; path: string }>(
    `select v.id, v.user_id, ${PATH} as path from public.videos v where v.status = 'rendering'`,
  );
  expect("Delivered videos", rows.length, APPS);
  const files = adminClient(site.stack).storage.from("videos");
  const file = new Blob([new Uint8Array(64)], { type: "video/mp4" });
  await flood({ times: rows.length, inFlight: 8 }, async (n) => {
    const { error } = await files.upload(rows[n]?.path ?? "", file, { contentType: "video/mp4" });
    if (error) throw error;
  });
  const tokens = new Map(owners.map(({ userId, token }) => [userId, token]));
  return rows.map(({ id, user_id }) => ({ videoId: id, token: tokens.get(user_id) ?? "" }));
}

/** Where start_storing has a video's file put. */
const PATH = "v.user_id || '/' || v.folder || '/' || v.id || '.mp4'";

const COMPLETE = `
select app.finish_storing(j.id, ${PATH})
from public.video_jobs j join public.videos v on v.id = j.video_id
where v.id = any ($1) and j.status = 'completed'
order by v.id`;

/** One after the other, evenly. Answers when each commit was answered. */
async function completeSpread(site: Site, ids: readonly string[]) {
  const changed = new Map<string, number>();
  await Promise.all(ids.map(async (id, n) => {
    await sleep(n * SPREAD_MS / ids.length);
    await site.db.query(COMPLETE, [[id]]);
    changed.set(id, performance.now());
  }));
  return changed;
}

/** All of them in one transaction. */
async function completeAtOnce(site: Site, ids: readonly string[]) {
  await site.db.query(COMPLETE, [ids]);
  const now = performance.now();
  return new Map(ids.map((id) => [id, now]));
}

function createMeter(
  site: Site,
  questions: Awaited<ReturnType<typeof countQuestions>>,
): Meter {
  const asked = async () => await questions.changes() + await questions.status();
  return async (work) => {
    const [before, cpu, at] = [await asked(), await cpuSeconds(site), performance.now()];
    const result = await work();
    const seconds = (performance.now() - at) / 1_000;
    const after = await cpuSeconds(site);
    return {
      result,
      used: {
        seconds,
        questions: await asked() - before,
        cpu: {
          functions: after.functions - cpu.functions,
          gateway: after.gateway - cpu.gateway,
          postgres: after.postgres - cpu.postgres,
        },
      },
    };
  };
}
