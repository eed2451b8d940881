import { assertEquals } from "@std/assert";
import type { Database } from "../../shared/db/database.ts";
import { reconcile } from "../../shared/db/maintain_calls.ts";
import {
  prepareSubmitting,
  recordSubmissions,
  startSubmissions,
} from "../../shared/db/submit_calls.ts";
import {
  entriesOf,
  jobsOf,
  newestJob,
  newFamily,
  passTime,
  queueVideo,
} from "../support/fixtures.ts";
import { attemptsOf, PROVIDERS, queuePrompt, withProviders } from "../support/makers.ts";
import { overlapping } from "../support/overlap.ts";
import { withSql } from "../support/sql.ts";

/** A loop over a query takes the first ten rows at once, and locks the others when it comes to them. */
const AT_ONCE = 10;

/** The provider did not answer: perhaps it has the attempt. */
const lost = {
  ...{ outcome: "unknown" as const, kind: "server", code: "timeout", delay_seconds: 5 },
  ...{ people_code: "provider_failed", people_message: "Please try again.", provider_error: null },
};

/**
 * Reconcile gives up ten videos that were never started. It has looked, and waits for the owner of the
 * first, while `meanwhile` happens to an eleventh: that one stays in its worker's hands, and paid.
 */
async function leftAlone(
  db: Database,
  meanwhile: (jobId: string) => Promise<unknown>,
): Promise<void> {
  const families = [await newFamily(db, { gems: 200 }), await newFamily(db, { gems: 200 })];
  const [early, late] = families.toSorted((a, b) => a.userId < b.userId ? -1 : 1);
  if (early === undefined || late === undefined) throw new Error("Two families are needed");
  for (let n = 0; n < AT_ONCE; n++) await queueVideo(db, early);
  const { video_id: videoId } = await queueVideo(db, late);
  const { id } = await newestJob(db, videoId);
  await passTime(db, "5 hours");
  const { second, waited } = await overlapping(
    db,
    (sql) => sql.query("select 1 from public.users where id = $1 for update", [early.userId]),
    () => reconcile(db),
    () => meanwhile(id),
  );
  assertEquals(waited, true);
  // One is left to the next round where its user was let go too late.
  assertEquals(Number(second["never_started"]) + Number(second["failed"]), AT_ONCE);
  assertEquals((await jobsOf(db, videoId)).map(({ status }) => status), ["claimed"]);
  assertEquals(await entriesOf(db, videoId), [{ kind: "charge", amount: -10 }]);
}

Deno.test("claimed after reconcile looked and before it came to it: handed over, and not given up", async () => {
  await withSql((db) => leftAlone(db, (id) => startSubmissions(db, [id], "w")));
});

Deno.test("handed over without an answer after reconcile looked and before it came to it: asked about, and not given up", async () => {
  await withSql((db) =>
    leftAlone(db, async (id) => {
      await startSubmissions(db, [id], "w");
      await recordSubmissions(db, [{ video_job_id: id, ...lost }], "w");
    })
  );
});

Deno.test("claimed after it was seen to wait in vain: left to who hands it over, and bought nowhere else", async () => {
  await withProviders(async (db, family) => {
    const ids: string[] = [];
    for (let n = 0; n <= AT_ONCE; n++) ids.push(await queuePrompt(db, family));
    const last = ids.toSorted().at(-1) ?? "";
    const { id } = await newestJob(db, last);
    await db.query(
      "update app.providers set paused_until = now() + interval '1 hour' where name = 'runware'",
    );
    const { second, waited } = await overlapping(
      db,
      // The first that moves on waits with its progress entry.
      (sql) => sql.query("lock table public.video_progress in share mode"),
      () => prepareSubmitting(db, PROVIDERS),
      () => startSubmissions(db, [id], "w"),
    );
    assertEquals(waited, true);
    assertEquals(second.moved, AT_ONCE);
    assertEquals(await attemptsOf(db, last), ["1 runware fox claimed"]);
  });
});
