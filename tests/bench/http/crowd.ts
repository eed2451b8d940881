/** Videos by the thousand, queued in the database itself: what comes after is what is measured. */
import { TWINKLE } from "../../support/fixtures.ts";
import { until } from "../bench.ts";
import { callWorker, number, type Site } from "./sites.ts";

/** Owners of the videos; each has as many as the others. */
const OWNERS = 100;

/** Queues so many videos through `queue_video`. Rings, where there is a doorbell. */
export async function queueMany(site: Site, count: number): Promise<void> {
  await site.db.query(
    `with signed_up as (
       insert into auth.users (id, email)
       select u.id, u.id || '@example.com' from (select gen_random_uuid() as id from generate_series(1, $1)) u
       returning id
     ) select count(*) from signed_up`,
    [OWNERS],
  );
  await site.db.query(
    `insert into public.children (user_id, name)
     select u.id, 'Mia' from public.users u where not exists (select from public.children c where c.user_id = u.id)`,
  );
  await (site.name === "ours" ? queueOurs(site, count) : queueNaive(site, count));
}

async function queueOurs(site: Site, count: number): Promise<void> {
  await site.db.query(
    `select public.grant_gems(u.id, 1000000, 'purchase', 'Bench', u.id::text) from public.users u
     where u.gem_balance = 0`,
  );
  await site.db.query(
    `select count(public.queue_video(
       c.user_id, jsonb_build_object('child_id', c.id, 'rhyme_id', $2::uuid), 'bench', 60, gen_random_uuid()::text
     ))
     from generate_series(1, $1) as n
     join (select c.*, row_number() over (order by c.id) as place from public.children c limit ${OWNERS}) c
       on c.place = 1 + n % ${OWNERS}`,
    [count, TWINKLE],
  );
}

async function queueNaive(site: Site, count: number): Promise<void> {
  await site.db.query(
    `with made as (
       insert into public.videos (user_id, child_id, rhyme_id, estimated_completion_at)
       select c.user_id, c.id, $2, now() + interval '1 minute'
       from generate_series(1, $1) as n
       join (select c.*, row_number() over (order by c.id) as place from public.children c limit ${OWNERS}) c
         on c.place = 1 + n % ${OWNERS}
       returning id
     )
     insert into public.video_jobs (video_id) select m.id from made m`,
    [count, TWINKLE],
  );
}

/** Calls a worker until no video has this status any more. */
export async function drain(site: Site, worker: string, status: string): Promise<void> {
  await until(`nothing is ${status}`, async () => {
    await callWorker(site, `${worker}?wait=1`);
    const left = "select count(*) from public.videos where status = $1";
    return await number(site, left, [status]) === 0;
  });
}

/** Nobody stores any more: enough seem to be at it. */
export async function keepFromStoring(site: Site): Promise<void> {
  await site.db.query(
    `insert into app.drainers (stage, node, lease_until)
     select 'store', n::text, now() + interval '1 hour' from generate_series(1, 32) n`,
  );
}

/** Nobody is rung any more: workers run when they are called. */
export async function takeDoorbellOff(site: Site): Promise<void> {
  await site.db.query("delete from vault.secrets where name = 'functions_url'");
}

/** Workers are rung again. */
export async function hangDoorbell(site: Site): Promise<void> {
  await site.db.query("select vault.create_secret($1, 'functions_url')", [
    `${site.stack.supabaseUrl}/functions/v1`,
  ]);
}
