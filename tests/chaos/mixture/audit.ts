/** Looking at what a game left behind: our rows, the sandbox's own record and the storage, side by side. */
import { z } from "zod";
import { brokenInvariants, value } from "../../support/fixtures.ts";
import type { Shop, ShopCounts, ShopKnobs, ShopTask } from "../shops/shop.ts";
import { GEMS, type Played } from "./play.ts";
import type { Site } from "./site.ts";

const videoRow = z.object({
  id: z.string(),
  user_id: z.string(),
  status: z.string(),
  error_code: z.string().nullable(),
  gem_cost: z.number(),
  max_retries: z.number(),
  prompt: z.string().nullable(),
  attempts: z.array(z.object({
    /** The provider's id, which may be ours; null where it told us none. */
    task: z.string().nullable(),
    status: z.string(),
    error_code: z.string().nullable(),
  })),
  charges: z.array(z.number()),
  refunds: z.array(z.number()),
  notices: z.array(z.string()),
  objects: z.array(z.object({ size: z.number() })),
});
/** A counted fault that has something left. */
const counted = z.object({ next: z.number().positive() });
type VideoRow = z.infer<typeof videoRow>;

/** What came out, and everything that should not have. */
export interface Outcome {
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Gems given back. */
  readonly refunded: number;
  readonly attempts: number;
  readonly bought: number;
  /** Attempts of which nobody knows whether they were bought. */
  readonly unknown: number;
  readonly counts: ShopCounts;
  readonly pauses: ReadonlySet<string>;
  readonly rounds: number;
  /** Counted faults that have not struck as often as they were to. */
  readonly unspent: readonly string[];
  /** Empty when every promise was kept. */
  readonly faults: readonly string[];
}

/** Checks every promise of one game. */
export async function audit(site: Site, knobs: ShopKnobs, played: Played): Promise<Outcome> {
  const rows = await rowsOf(site, played.videos);
  const { shop } = site;
  const tasks = shop.tasks();
  const counts = shop.counts();
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const refunds = rows.flatMap((row) => row.refunds);
  const attempts = rows.flatMap((row) => row.attempts);
  const count = (status: string) => rows.filter((row) => row.status === status).length;
  const faults = [
    ...rows.flatMap((row) => [
      ...faultsOfEnd(row, played.promised.get(row.id)),
      ...faultsOfPurchases(row, byId, knobs),
    ]),
    ...faultsOfRecord(shop, rows),
    ...await faultsOfBooks(site, played, rows),
    ...site.incidents.splice(0),
  ];
  if (rows.length !== played.videos.length) faults.push("A video is gone");
  return {
    completed: count("completed"),
    failed: count("failed"),
    cancelled: count("cancelled"),
    refunded: refunds.reduce((sum, amount) => sum + amount, 0),
    attempts: attempts.length,
    bought: counts.bought,
    unknown: attempts.filter(({ error_code }) => error_code === "unknown_outcome").length,
    counts,
    pauses: played.pauses,
    rounds: played.rounds,
    unspent: Object.entries(shop.config())
      .filter(([, fault]) => counted.safeParse(fault).success).map(([name]) => name),
    faults,
  };
}

async function rowsOf({ db }: Site, ids: readonly string[]): Promise<VideoRow[]> {
  return z.array(videoRow).parse(
    await db.query(
      `select v.id, v.user_id, v.status, v.error_code, v.gem_cost, v.max_retries, v.prompt,
         array(select json_build_object('status', j.status, 'error_code', j.error_code,
                 'task', case when p.chooses_task_id then j.id::text else j.provider_task_id end)
               from public.video_jobs j join app.providers p on p.name = j.provider
               where j.video_id = v.id order by j.attempt) as attempts,
         array(select e.amount from public.gem_entries e where e.video_id = v.id and e.kind = 'charge') as charges,
         array(select e.amount from public.gem_entries e where e.video_id = v.id and e.kind = 'refund') as refunds,
         array(select n.kind from public.notifications n where n.video_id = v.id) as notices,
         array(select json_build_object('size', (o.metadata ->> 'size')::int)
               from storage.objects o where o.bucket_id = 'videos' and o.name like '%' || v.id || '%') as objects
       from public.videos v where v.id = any ($1)`,
      [ids],
    ),
  );
}

/** How each end looks: gems back, notices, whole objects. */
function faultsOfEnd(row: VideoRow, promised: number | undefined): string[] {
  const back = row.status === "failed" ? row.gem_cost : promised ?? 0;
  const due = {
    ends: promised === undefined ? ["completed", "failed"] : ["cancelled"],
    charges: [-row.gem_cost],
    refunds: back === 0 ? [] : [back],
    notices: { completed: ["video_ready"], failed: ["video_failed"] }[row.status] ?? [],
    objects: row.status === "completed" ? 1 : 0,
  };
  const faults: string[] = [];
  const expect = (what: string, found: unknown, wanted: unknown) => {
    const [left, right] = [JSON.stringify(found), JSON.stringify(wanted)];
    if (left !== right) {
      faults.push(`${row.status} video ${row.id}, ${what}: ${left}, not ${right}`);
    }
  };
  expect("may end as", due.ends.includes(row.status), true);
  expect("charges", row.charges, due.charges);
  expect("refunds", row.refunds, due.refunds);
  expect("notices", row.notices, due.notices);
  expect("objects", row.objects.length, due.objects);
  expect("empty objects", row.objects.filter(({ size }) => size === 0).length, 0);
  expect("attempts within the limit", row.attempts.length <= row.max_retries + 1, true);
  expect(
    "attempts before the last",
    row.attempts.slice(0, -1).map(({ status }) => status),
    row.attempts.slice(0, -1).map(() => "failed"),
  );
  return faults;
}

/** Why an attempt ends that the provider has finished and knows nothing more about. */
const HOW_FORGETTING_ENDS = new Set(["taskNotFound", "unknown_outcome", "deadline"]);

/**
 * Nothing that the provider made for us is thrown away: a task that ended well belongs to the attempt
 * that was delivered, unless the provider has forgotten or flagged it or its owner cancelled. And another
 * task is bought only after the one before failed, or would never have ended.
 */
function faultsOfPurchases(
  row: VideoRow,
  tasks: ReadonlyMap<string, ShopTask>,
  knobs: ShopKnobs,
): string[] {
  const faults: string[] = [];
  const say = (what: string) => faults.push(`${row.status} video ${row.id}: ${what}`);
  const last = row.attempts.at(-1);
  for (const attempt of row.attempts) {
    const task = tasks.get(attempt.task ?? "");
    if (attempt.status === "completed" && task?.status !== "success") {
      say(`delivered, but the provider's task is ${task?.status ?? "not there"}`);
    }
    if (task?.status === "success" && attempt.status !== "completed") {
      const forgotten = "forgetAfterMs" in knobs && typeof knobs.forgetAfterMs === "number" &&
        HOW_FORGETTING_ENDS.has(attempt.error_code ?? "");
      // Where it stood behind tasks that never end, its turn may come when it has just been given up.
      const stoodBehind = Boolean(knobs.stuckTasks) && "concurrency" in knobs &&
        knobs.concurrency !== null && attempt.error_code === "deadline";
      // Made, and no sight for children.
      const flagged = attempt.error_code === "NSFWContent" && "flaggedContent" in knobs &&
        Boolean(knobs.flaggedContent);
      if (!forgotten && !stoodBehind && !flagged && attempt.status !== "cancelled") {
        say(`attempt given up for ${attempt.error_code} though the provider made the video`);
      }
    }
    if (task?.status === "processing" && attempt !== last && !knobs.stuckTasks) {
      say("another task was bought while this one was being made");
    }
  }
  if (row.status === "completed" && last?.status !== "completed") {
    say(`completed, but its last attempt is ${last?.status}`);
  }
  if (
    row.status === "failed" && last?.status === "completed" && row.error_code !== "storing_failed"
  ) {
    say(`failed with ${row.error_code} though it was delivered`);
  }
  return faults;
}

/**
 * The sandbox's own record: one purchase an attempt, and no task that is not an attempt of ours. A task
 * that no attempt names must be of a video with an attempt that nobody knows the end of.
 */
function faultsOfRecord(shop: Shop, rows: readonly VideoRow[]): string[] {
  const tasks = shop.tasks();
  const named = new Set(rows.flatMap(({ attempts }) => attempts.map(({ task }) => task)));
  const doubts = new Map<string, number>();
  for (const { prompt, attempts } of rows) {
    const open = attempts.filter((one) => one.task === null && mayBeBought(one)).length;
    if (prompt !== null) doubts.set(prompt, open);
  }
  const faults: string[] = [];
  for (const { id, prompt } of tasks.filter(({ id }) => !named.has(id))) {
    const left = shop.choosesTaskId ? 0 : doubts.get(prompt) ?? 0;
    if (left === 0) faults.push(`Task ${id} was bought for no attempt`);
    doubts.set(prompt, left - 1);
  }
  const { bought } = shop.counts();
  if (bought !== new Set(tasks.map(({ id }) => id)).size) {
    faults.push(`${bought} purchases for ${tasks.length} tasks`);
  }
  return faults;
}

/** Whether the provider may have sold it without our hearing of it. */
function mayBeBought({ status, error_code }: VideoRow["attempts"][number]): boolean {
  return error_code === "unknown_outcome" || status === "cancelled";
}

async function faultsOfBooks(
  { db }: Site,
  { families }: Played,
  rows: readonly VideoRow[],
): Promise<string[]> {
  const faults = (await brokenInvariants(db)).map((row) => `Invariant: ${JSON.stringify(row)}`);
  for (const { userId } of families) {
    const moved = rows.filter((row) => row.user_id === userId)
      .flatMap((row) => [...row.charges, ...row.refunds])
      .reduce((sum, amount) => sum + amount, 0);
    const text = "select gem_balance as value from public.users where id = $1";
    const balance = await value(db, text, [userId]);
    if (balance !== GEMS + moved) {
      faults.push(`User ${userId} has ${balance}, not ${GEMS + moved} gems`);
    }
  }
  return faults;
}
