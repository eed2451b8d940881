/**
 * A project that is moved: dumped from Debian's Postgres 15 by its pg_dump, restored into a new cluster.
 * `deno task test:postgres15` runs it.
 */
import { assertEquals, assertRejects } from "@std/assert";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startPostgres } from "../../local/postgres.ts";
import { prepareDatabase } from "../../local/prepare.ts";
import { type Database, openDatabase } from "../../shared/db/database.ts";
import { finishStoring } from "../../shared/db/store_calls.ts";
import { asUser } from "../support/as_user.ts";
import { dumpProject, restoreFiles } from "../support/dump.ts";
import {
  accept,
  balanceOf,
  brokenInvariants,
  deliver,
  type Family,
  hangDoorbell,
  newFamily,
  queueVideo,
} from "../support/fixtures.ts";
import { quiet, withSql } from "../support/sql.ts";

const restoreFile = (name: string) =>
  fileURLToPath(new URL(`../../supabase/restore/${name}.sql`, import.meta.url));
const BEFORE = restoreFile("before");
const AFTER = restoreFile("after");

/** Who may do what, and what the dump leaves to supabase/restore. */
const RIGHTS: Readonly<Record<string, string>> = {
  functions: `
    select r.rolname, p.oid::regprocedure::text as name from pg_proc p
    cross join pg_roles r
    where r.rolname in ('anon', 'authenticated', 'service_role')
      and p.pronamespace in ('public'::regnamespace, 'app'::regnamespace, 'pgboss'::regnamespace)
      and has_schema_privilege(r.oid, p.pronamespace, 'usage') and has_function_privilege(r.oid, p.oid, 'execute')
    order by 1, 2`,
  tables: `
    select r.rolname, c.oid::regclass::text as name, w.what from pg_class c
    cross join pg_roles r
    cross join unnest('{select,insert,update,delete,truncate}'::text[]) as w (what)
    where r.rolname in ('anon', 'authenticated', 'service_role') and c.relkind in ('r', 'p', 'v')
      and c.relnamespace in ('public'::regnamespace, 'app'::regnamespace, 'pgboss'::regnamespace)
      and has_table_privilege(r.oid, c.oid, w.what)
    order by 1, 2, 3`,
  columns: `
    select grantee, table_name, column_name, privilege_type from information_schema.column_privileges
    where table_schema = 'public' and grantee in ('anon', 'authenticated', 'service_role')
    order by 1, 2, 3, 4`,
  policies:
    "select schemaname, tablename, policyname, roles::text, cmd, qual, with_check from pg_policies order by 1, 2, 3",
  triggers: `
    select tgrelid::regclass::text as name, pg_get_triggerdef(oid) as trigger from pg_trigger
    where not tgisinternal and tgname <> 'zzz_realtime' order by 1, 2`,
  published: "select schemaname, tablename from pg_publication_tables order by 1, 2",
  "cron jobs": "select jobname, schedule, command, active from cron.job order by 1",
};

async function rightsOf(db: Database): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const [what, query] of Object.entries(RIGHTS)) found[what] = await db.query(query);
  return found;
}

/** A project with a family that has two videos, one completed, and deleted a third. */
async function livedIn(db: Database): Promise<Family & { readonly rev: string }> {
  const family = await newFamily(db, { gems: 50 });
  const { video_id: made } = await queueVideo(db, family, { key: "made" });
  const job = await accept(db, made);
  await deliver(db, job);
  await finishStoring(db, job, `${family.userId}/videos/${made}.mp4`);
  await queueVideo(db, family, { key: "waiting" });
  const { video_id: gone } = await queueVideo(db, family, { key: "gone" });
  await asUser(db, family.userId, "select public.delete_videos($1)", [[gone]]);
  // Ahead of any new cluster, as a project that has been in use is: each block takes a number.
  await db.query(
    `do $$
     begin
       create temporary table spent (number integer) on commit drop;
       for i in 1..5000 loop
         begin
           insert into spent values (i);
         exception when others then
           raise;
         end;
       end loop;
     end $$`,
  );
  return { ...family, rev: (await changesOf(db, family)).rev };
}

interface Changes {
  readonly reset: boolean;
  readonly rev: string;
  readonly videos: readonly { readonly id: string }[];
  readonly deleted: readonly string[];
}

async function changesOf(db: Database, { userId }: Family, rev?: string): Promise<Changes> {
  const [row] = await asUser(db, userId, "select public.videos_since($1) as changes", [
    rev ?? null,
  ]);
  return row?.["changes"] as Changes;
}

/** Gives `work` what Supabase's new project has, on a cluster of its own: the platform, none of our migrations. */
async function withNewProject(work: (db: Database, url: string) => Promise<void>): Promise<void> {
  const empty = await Deno.makeTempDir({ prefix: "gemreel-empty-" });
  const server = await startPostgres({
    dataDir: join(tmpdir(), `gemreel-restore-${crypto.randomUUID().slice(0, 8)}`),
    port: 0,
    settings: { fsync: "off" },
    temporary: true,
  });
  try {
    await prepareDatabase(server.url, { supabaseDir: empty });
    const db = openDatabase(server.url, { log: quiet, max: 5 });
    try {
      await work(db, server.url);
    } finally {
      await db.close();
    }
  } finally {
    await server.stop();
    await Deno.remove(empty, { recursive: true });
  }
}

Deno.test("a project that is dumped and restored elsewhere is as closed as before, and goes on", async () => {
  await withSql(async (db, { url }) => {
    const family = await livedIn(db);
    const folder = await Deno.makeTempDir({ prefix: "gemreel-dump-" });
    try {
      const dump = await dumpProject(url, folder);
      await withNewProject(async (moved, target) => {
        await restoreFiles(target, [BEFORE, ...dump, AFTER]);
        assertEquals(await rightsOf(moved), await rightsOf(db));
        assertEquals(await brokenInvariants(moved), []);
        assertEquals(await balanceOf(moved, family), 30);
        await goesOn(moved, family);
        await followsChanges(moved, family);
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
});

/** Whoever signs up has an account, can be given gems, and orders. */
async function goesOn(moved: Database, family: Family): Promise<void> {
  const late = await newFamily(moved, { gems: 20 });
  assertEquals(await balanceOf(moved, late), 20);
  await queueVideo(moved, late);
  await queueVideo(moved, family, { key: "after the move" });
  assertEquals(await brokenInvariants(moved), []);
  const state = `select r -> 'doors_closed' as doors, r -> 'cron_scheduled' as cron,
    r -> 'realtime_ready' as realtime, r -> 'doorbell_ready' as doorbell from public.health_report() r`;
  // The secrets of Vault are in no dump: until they are made again, nothing rings.
  const ready = { doors: true, cron: true, realtime: true };
  assertEquals(await moved.query(state), [{ ...ready, doorbell: false }]);
  await hangDoorbell(moved);
  assertEquals(await moved.query(state), [{ ...ready, doorbell: true }]);
}

/** videos_since tells what changed and no more; what an app knew from before the move counts for nothing. */
async function followsChanges(
  moved: Database,
  family: Family & { readonly rev: string },
): Promise<void> {
  const fresh = await changesOf(moved, family, family.rev);
  assertEquals([fresh.reset, fresh.videos.length, fresh.deleted], [true, 3, []]);
  await moved.query("select pg_current_xact_id()");
  const quietly = await changesOf(moved, family, fresh.rev);
  assertEquals([quietly.reset, quietly.videos, quietly.deleted], [false, [], []]);
  const [first, second] = fresh.videos.map(({ id }) => id);
  await asUser(moved, family.userId, "select public.set_favorite($1, true)", [first]);
  await asUser(moved, family.userId, "select public.delete_videos($1)", [[second]]);
  const changed = await changesOf(moved, family, quietly.rev);
  assertEquals(changed.reset, false);
  assertEquals(changed.videos.map(({ id }) => id), [first]);
  assertEquals(changed.deleted, [second]);
}

Deno.test("a restore without before.sql is refused as a whole: it would be open to visitors", async () => {
  await withSql(async (db, { url }) => {
    await livedIn(db);
    const folder = await Deno.makeTempDir({ prefix: "gemreel-dump-" });
    try {
      const dump = await dumpProject(url, folder);
      await withNewProject(async (moved, target) => {
        await assertRejects(
          () => restoreFiles(target, [...dump, AFTER]),
          Error,
          "may be executed by anon",
        );
        assertEquals(await moved.query("select to_regnamespace('app') as app"), [{ app: null }]);
        // And this is what it would be without either.
        await restoreFiles(target, dump);
        const [report] = await moved.query(
          "select public.health_report() -> 'doors_closed' as closed",
        );
        assertEquals(report, { closed: false });
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
});
