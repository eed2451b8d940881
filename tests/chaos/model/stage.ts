/** Where stories are played: a database of their own, named workers with connections of their own, the outside. */
import { type Database, openDatabase } from "../../../shared/db/database.ts";
import { openQueue } from "../../../shared/db/queue.ts";
import { type Family, newFamily } from "../../support/fixtures.ts";
import { withDatabase } from "../../support/database.ts";
import { quiet } from "../../support/sql.ts";
import { PEOPLE, WORKERS } from "./acts.ts";
import { type Ear, listen } from "./ear.ts";
import { PROVIDERS, RULES, type Setting } from "./state.ts";
import type { Tally } from "./tally.ts";

/** The scenery that outlives a story. */
export interface Stage {
  /** The story-teller's own connection. */
  readonly db: Database;
  readonly workers: ReadonlyMap<string, Ear>;
  /** For the doors and the maintainer: two, because two may be open at once. */
  readonly doors: readonly [Ear, Ear];
  readonly mediaHost: string;
  /** Of all stories so far. */
  readonly tally: Tally;
  /** Deadlocks that Postgres has ended so far. */
  deadlocks(): Promise<number>;
  /** Clears everything away, changes the setting, and signs up new people. */
  reset(setting: Setting): Promise<ReadonlyMap<string, Family>>;
}

/** Rhymes of the seed, at RULES.prices. */
export const RHYMES = [1, 5, 2].map((n) => `10000000-0000-4000-8000-00000000000${n}`);

const SETTINGS = `
update app.settings set queue_limit = ${RULES.queueLimit}, max_attempts = ${RULES.maxAttempts},
  cancel_refund_percent = ${RULES.refundPercent},
  poll_steps = '{${RULES.pollSteps.join()}}', submit_lease_seconds = ${RULES.submitLease},
  poll_lease_seconds = ${RULES.pollLease},
  queued_deadline_minutes = ${RULES.queuedDeadline / 60},
  storing_deadline_minutes = ${RULES.storingDeadline / 60},
  -- Stories have one provider; what makes it rest has tests of its own (tests/db/breaker_test.ts,
  -- unstored_test.ts).
  breaker_failures = 1000000, storing_patience_minutes = null;
update app.providers set max_in_flight = ${RULES.maxInFlight},
  render_deadline_minutes = ${RULES.renderDeadline / 60};
${
  Object.entries(RULES.queues).map(([name, { expires }]) =>
    `update pgboss.queue set expire_seconds = ${expires} where name = '${name}';`
  )
    .join("\n")
}
${
  RHYMES.map((id, n) =>
    `update public.rhymes set gem_cost = ${RULES.prices[n]} where id = '${id}';`
  )
    .join("\n")
}`;

/** As a superuser, because the ledger lets nobody else forget. */
const CLEAR = `
set local session_replication_role = replica;
delete from public.gem_entries; delete from public.notification_deliveries;
delete from public.notifications; delete from public.provider_events;
delete from public.video_progress; delete from public.unknown_outcomes; delete from public.video_jobs; delete from public.videos;
delete from public.children; delete from public.users; delete from auth.users; delete from pgboss.job;
delete from app.objects_to_delete; delete from app.drainers; delete from app.model_stats;
delete from app.costs; delete from app.erasures; delete from app.cancellations; delete from public.deleted_videos;
update app.providers set paused_until = null, pause_reason = null, failures = 0;
update app.fair_clocks set tag = 0, base = 0, counted_from = '-infinity';
update pgboss.queue set monitor_claim_on = null, monitor_on = null, maintain_on = null;`;

/** Gives `work` a stage. */
export async function withStage<T>(work: (stage: Stage) => Promise<T>): Promise<T> {
  return await withDatabase(async ({ url, pool }) => {
    await using cleanup = new AsyncDisposableStack();
    const name = new URL(url).pathname.slice(1);
    // Two sides that stop each other are told so at once instead of after a second.
    await pool.query(`alter database ${name} set deadlock_timeout = '100ms'`);
    const db = open(url);
    cleanup.defer(() => db.close());
    await db.query(SETTINGS);
    const ears: Ear[] = [];
    for (let n = 0; n < WORKERS.length + 2; n++) {
      const ear = listen(open(url), (database) => openQueue(database, quiet));
      cleanup.defer(() => ear.database.close());
      cleanup.defer(() => ear.queue.close());
      await ear.queue.ready();
      ears.push(ear);
    }
    const [one, two, ...others] = ears;
    if (one === undefined || two === undefined) throw new Error("There are no doors");
    const media = serveMedia();
    cleanup.defer(() => media.shutdown());
    return await work({
      db,
      doors: [one, two],
      workers: new Map(WORKERS.map((worker, n) => [worker, others[n] ?? one])),
      mediaHost: `127.0.0.1:${media.addr.port}`,
      tally: new Map(),
      async deadlocks() {
        const [row] = await db.query(
          "select deadlocks from pg_stat_database where datname = current_database()",
        );
        return Number(row?.["deadlocks"]);
      },
      async reset({ provider, retries, claims }) {
        for (const ear of ears) ear.take();
        await db.transaction((sql) => sql.query(CLEAR));
        const { choosesTaskId, unknown } = PROVIDERS[provider];
        await db.query("update app.providers set chooses_task_id = $1 where name = 'runware'", [
          choosesTaskId,
        ]);
        await db.query("update app.settings set unknown_outcome = $1, max_claims = $2", [
          unknown,
          claims,
        ]);
        await db.query("update pgboss.queue set retry_limit = $1 where name = any ($2)", [
          retries,
          Object.keys(RULES.queues),
        ]);
        const families = new Map<string, Family>();
        for (const person of PEOPLE) {
          families.set(person, await newFamily(db, { gems: RULES.startingGems }));
        }
        return families;
      },
    });
  });
}

const open = (url: string) => openDatabase(url, { log: quiet, max: 5 });

/** Every file is there, and looks like an MP4. */
function serveMedia() {
  const file = new TextEncoder().encode("\0\0\0\x0cftypisom");
  return Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(file),
  );
}
