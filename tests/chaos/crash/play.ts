/** Playing a scenario: to its end, or until the worker dies, and bringing everything to an end after that. */
import { z } from "zod";
import type { Database } from "../../../shared/db/database.ts";
import { passTime, value } from "../../support/fixtures.ts";
import { leave } from "./farewell.ts";
import type { Lane } from "./lane.ts";
import type { Crossing, Fuse } from "./protocol.ts";
import type { Scenario } from "./scenario.ts";
import { Killed, WorkerProcess } from "./worker_process.ts";
import type { World } from "./world.ts";

/** Rounds of recovery after which everything must be over: by default half an hour of a real clock. */
const MOST_ROUNDS = 10;
const ROUND = "3 minutes";
/** More than a few deaths in one run would be a worker that nobody can use. */
const MOST_DEATHS = 4;

/** Keeps one process at hand; the one that recovers from a death is the next to die. */
export class Staff {
  #worker: WorkerProcess | undefined;

  /** A living worker at the beginning of a life. */
  async hire(lane: Lane, fuse: Fuse): Promise<WorkerProcess> {
    if (!this.#worker?.isAlive) this.#worker = new WorkerProcess();
    await this.#worker.open(lane.surroundings, fuse);
    return this.#worker;
  }

  async dismiss(): Promise<void> {
    await this.#worker?.end();
  }
}

/** What a play needs. */
export interface Stage {
  readonly lane: Lane;
  readonly db: Database;
  readonly world: World;
  readonly staff: Staff;
}

/** Plays the script with a worker that may be about to die. Answers what it crossed; throws `Killed`. */
export async function play(
  { lane, db, world, staff }: Stage,
  { script }: Scenario,
  fuse: Fuse,
): Promise<Crossing[]> {
  const worker = await staff.hire(lane, fuse);
  const crossings: Crossing[] = [];
  for (const step of script) {
    if (step === "world") await world.act();
    else if (step === "leave") await leave(db, lane, world.family);
    else if (typeof step === "object") await passTime(db, step.pass);
    else crossings.push(...await worker.run(step));
  }
  return crossings;
}

/**
 * What cron does: time passes, leases run out, maintain and the workers come by. `fuses` are for the
 * workers that come: each kills one more.
 */
export async function recover(
  stage: Stage,
  { round: time = ROUND }: Scenario,
  fuses: readonly Fuse[] = [],
): Promise<void> {
  const { lane, db, world, staff } = stage;
  const left = [...fuses];
  let worker = await staff.hire(lane, left.shift() ?? null);
  let deaths = 0;
  for (let round = 1; round <= MOST_ROUNDS + deaths; round++) {
    await world.act();
    await passTime(db, time);
    try {
      for (const step of ["maintain", "submit", "poll", "store", "notify"] as const) {
        await worker.run(step);
      }
    } catch (error) {
      if (!(error instanceof Killed) || ++deaths > MOST_DEATHS) throw error;
      worker = await staff.hire(lane, left.shift() ?? null);
    }
    if (await isOver(db)) return;
  }
  throw new Error(`Not everything was over after ${MOST_ROUNDS} rounds: ${await remains(db)}`);
}

/** Every video is over, and the queue holds nothing that anybody would still work on. */
async function isOver(db: Database): Promise<boolean> {
  return z.boolean().parse(
    await value(
      db,
      `select not exists (
         select 1 from public.videos v where v.status in ('queued', 'processing', 'rendering')
       ) and not exists (
         select 1 from pgboss.job j
         where j.name <> 'submit-dead' and j.name ~ '^(submit-|store-video$|notify-(fcm|web_push|webhook)$)' and j.state <= 'active'
       ) and not exists (
         select 1 from public.notification_deliveries d where d.status = 'pending'
       ) and not exists (select 1 from app.erasures e where e.finished_at is null) as value`,
    ),
  );
}

async function remains(db: Database): Promise<string> {
  const rows = await db.query(
    `select v.id, v.status, v.stage, (
       select json_agg(json_build_object('attempt', j.attempt, 'status', j.status, 'queue', q.name, 'job', q.state))
       from public.video_jobs j left join pgboss.job q on q.id = j.id where j.video_id = v.id
     ) as attempts from public.videos v order by v.created_at`,
  );
  return JSON.stringify(rows);
}
