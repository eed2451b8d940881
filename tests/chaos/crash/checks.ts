/** What must hold when all is over: the books, the provider's record, the files, the queue. */
import { z } from "zod";
import type { Database } from "../../../shared/db/database.ts";
import { until } from "../../support/until.ts";
import { brokenInvariants } from "../../support/fixtures.ts";
import { type Base, GEMS } from "./base.ts";
import { FILE_BYTES, type Lane, PICTURE } from "./lane.ts";
import type { ShopTask } from "../shops/shop.ts";
import { faultsOfFarewell } from "./farewell.ts";
import { doubtsOf, faultsOfDoubts } from "./doubts.ts";
import type { Role } from "./scenario.ts";
import type { World } from "./world.ts";

const PRICE = 10;

const attempt = z.object({
  id: z.string(),
  /** The provider's id: ours, where that is how it goes; null where it told us none. */
  task: z.string().nullable(),
  status: z.string(),
  error_code: z.string().nullable(),
});
/** An attempt as it is in the end. */
export type Attempt = z.infer<typeof attempt>;

const account = z.object({
  video_id: z.string(),
  status: z.string(),
  attempts: z.array(attempt),
  charges: z.array(z.number()),
  refunds: z.array(z.number()),
  notices: z.array(z.string()),
  told: z.array(z.string()),
  objects: z.array(z.object({ name: z.string(), size: z.number() })),
  completions: z.number(),
});
type Account = z.infer<typeof account>;

const ACCOUNTS = `
  select v.id as video_id, v.status,
    (select json_agg(json_build_object('id', j.id, 'status', j.status, 'error_code', j.error_code,
        'task', case when p.chooses_task_id then j.id::text else j.provider_task_id end) order by j.attempt)
     from public.video_jobs j join app.providers p on p.name = j.provider
     where j.video_id = v.id) as attempts,
    array(select e.amount from public.gem_entries e where e.video_id = v.id and e.kind = 'charge') as charges,
    array(select e.amount from public.gem_entries e where e.video_id = v.id and e.kind = 'refund') as refunds,
    array(select n.kind from public.notifications n where n.video_id = v.id) as notices,
    array(select concat_ws(' ', d.channel, d.status, d.error_code) from public.notification_deliveries d
      join public.notifications n on n.id = d.notification_id where n.video_id = v.id order by 1) as told,
    (select coalesce(json_agg(json_build_object('name', o.name, 'size', (o.metadata ->> 'size')::int)), '[]')
     from storage.objects o where o.bucket_id = 'videos' and o.name like '%' || v.id || '%') as objects,
    (select count(*)::int from public.video_progress p
     where p.video_id = v.id and p.stage = 'completed') as completions
  from public.videos v`;

/**
 * Everything that is wrong, in sentences; none when all is well. `doubt`: a death may have left attempts
 * of which nobody knows whether they were bought, where the provider does not take our ids.
 */
export async function faultsOf(
  { base, lane, db, world, doubt }: {
    readonly base: Base;
    readonly lane: Lane;
    readonly db: Database;
    readonly world: World;
    readonly doubt: boolean;
  },
): Promise<string[]> {
  if (base.scenario.script.includes("leave")) return await faultsOfFarewell({ base, lane, db });
  const accounts = z.array(account).parse(await db.query(ACCOUNTS));
  const faults = (await brokenInvariants(db)).map((row) => `Invariant: ${JSON.stringify(row)}`);
  const expect = (what: string, found: unknown, due: unknown) => {
    const [left, right] = [JSON.stringify(found), JSON.stringify(due)];
    if (left !== right) faults.push(`${what}: ${left}, not ${right}`);
  };
  const shop = lane.shopOf(base.scenario);
  let gems = GEMS;
  for (const [name, role] of Object.entries(base.scenario.roles)) {
    const one = accounts.find(({ video_id }) => video_id === base.videos.get(name));
    if (one === undefined) {
      faults.push(`${name}: the video is gone`);
      continue;
    }
    const tasks = shop.tasks().filter(({ id, prompt }) =>
      shop.choosesTaskId ? one.attempts.some((attempt) => attempt.task === id) : prompt === name
    );
    const doubts = doubtsOf(one.attempts, tasks);
    faults.push(...faultsOfDoubts(name, doubts, { allowed: doubt && !shop.choosesTaskId }));
    // Given up in doubt, it is refunded whatever its fate would have been.
    const ends = one.attempts.at(-1)?.error_code === "unknown_outcome" ? "failed" : role.ends;
    const due: Role = { ...role, ends };
    const promised = world.promised.get(name);
    faults.push(...faultsOfVideo({ name, role: due, one, lane, promised }));
    faults.push(...faultsOfPurchases({ name, role: due, one, tasks }));
    gems -= PRICE - (ends === "failed" ? PRICE : promised ?? 0);
  }
  const [user] = await db.query("select gem_balance from public.users");
  expect("gems left", user?.["gem_balance"], gems);
  const [active] = await db.query(
    "select count(*)::int as n from pgboss.job where state = 'active'",
  );
  expect("queue jobs still in somebody's hands", active?.["n"], 0);
  const ids = new Set(accounts.flatMap(({ attempts }) => attempts.map(({ task }) => task)));
  const strangers = shop.tasks().filter(({ id, prompt }) =>
    !ids.has(id) && !(prompt in base.scenario.roles)
  );
  expect("tasks bought for no attempt of ours", strangers.map(({ id }) => id), []);
  const completed = accounts.filter(({ status }) => status === "completed").length;
  const pictured = Object.values(base.scenario.roles).filter((role) => role.pictured).length;
  faults.push(
    ...await faultsOfFiles(lane, {
      videos: completed,
      // The child's own, and a thumbnail of each.
      pictures: pictured === 0 ? 0 : pictured + 1,
    }),
  );
  return faults;
}

function faultsOfVideo({ name, role, one, lane, promised }: {
  readonly name: string;
  readonly role: Role;
  readonly one: Account;
  readonly lane: Lane;
  readonly promised: number | undefined;
}): string[] {
  const faults: string[] = [];
  const expect = (what: string, found: unknown, due: unknown) => {
    const [left, right] = [JSON.stringify(found), JSON.stringify(due)];
    if (left !== right) faults.push(`${name}, ${what}: ${left}, not ${right}`);
  };
  expect("status", one.status, role.ends);
  expect("charges", one.charges, [-PRICE]);
  const back = role.ends === "failed" ? PRICE : promised ?? 0;
  expect("refunds", one.refunds, back === 0 ? [] : [back]);
  expect(
    "notices",
    one.notices,
    {
      completed: ["video_ready"],
      failed: ["video_failed"],
      cancelled: [],
      forgotten: [],
    }[role.ends],
  );
  faults.push(...faultsOfNotices({ name, role, one, lane }));
  const isDone = role.ends === "completed";
  const files = [FILE_BYTES, ...role.pictured ? [PICTURE.byteLength] : []];
  const sizes = one.objects.map(({ size }) => size).toSorted((a, b) => b - a);
  expect("sizes of its objects", sizes, isDone ? files : []);
  expect("entries of completion", one.completions, isDone ? 1 : 0);
  return faults;
}

/** What was bought for it, but for what is in doubt. */
function faultsOfPurchases({ name, role, one, tasks }: {
  readonly name: string;
  readonly role: Role;
  readonly one: Account;
  readonly tasks: readonly ShopTask[];
}): string[] {
  const known = one.attempts.flatMap(({ task }) => tasks.find(({ id }) => id === task) ?? []);
  const faults: string[] = [];
  const inDoubt = one.attempts.some(({ error_code }) => error_code === "unknown_outcome");
  // An attempt in doubt may have been the one that was to fail.
  const most = Math.max(...role.bought);
  if (inDoubt ? known.length > most : !role.bought.includes(known.length)) {
    faults.push(`${name}, tasks bought: ${known.length}, not ${role.bought.join(" or ")}`);
  }
  // Bought once more only after the one before really failed.
  if (known.slice(0, -1).some(({ status }) => status !== "error")) {
    faults.push(`${name}, bought again after ${known.map(({ status }) => status)}`);
  }
  return faults;
}

/** Each place has seen it once, and every delivery came to its end. */
function faultsOfNotices({ name, role, one, lane }: {
  readonly name: string;
  readonly role: Role;
  readonly one: Account;
  readonly lane: Lane;
}): string[] {
  const seen = lane.notify.control.shown()
    .filter(({ data }) => data["video_id"] === one.video_id).map(({ place }) => place).sort();
  const due = role.ends === "cancelled" ? [] : ["fcm", "web_push", "webhook"];
  const faults = seen.join() === due.join() ? [] : [`${name}, told at: ${seen}, not ${due}`];
  // The phone that is gone: found out by the first of its deliveries, the others find no device.
  const sent = one.told.filter((told) => told.endsWith(" sent")).map((told) => told.split(" ")[0]);
  if (sent.join() !== due.join()) faults.push(`${name}, sent: ${sent}, not ${due}`);
  const open = one.told.filter((told) =>
    !/ sent$|^fcm failed unregistered$|^fcm skipped device_gone$/.test(told)
  );
  if (open.length > 0) faults.push(`${name}, deliveries: ${open}`);
  return faults;
}

/** The gateway drops the half of a file whose sender died as soon as it notices; that is waited for. */
async function faultsOfFiles(
  { files }: Lane,
  due: { readonly videos: number; readonly pictures: number },
): Promise<string[]> {
  const whole = [FILE_BYTES, PICTURE.byteLength];
  const sizes = await until("only whole files are on disk", async () => {
    const found = await sizesIn(files);
    return found.every((size) => whole.includes(size)) ? found : undefined;
  });
  const videos = sizes.filter((size) => size === FILE_BYTES).length;
  const found = { videos, pictures: sizes.length - videos };
  const [left, right] = [JSON.stringify(found), JSON.stringify(due)];
  return left === right ? [] : [`Files on disk: ${left}, not ${right}`];
}

async function sizesIn(folder: string): Promise<number[]> {
  const names = await Array.fromAsync(Deno.readDir(folder)).catch(() => []);
  return await Promise.all(
    names.map(async ({ name }) => (await Deno.stat(`${folder}/${name}`)).size),
  );
}
