/** Webhooks as the door hands them on, one or many in a call. */
import { assert, assertEquals } from "@std/assert";
import type { Sql } from "../../shared/db/database.ts";
import { duePolls } from "../../shared/db/poll_calls.ts";
import { recordSubmissions, startSubmissions } from "../../shared/db/submit_calls.ts";
import { providerWebhook } from "../../shared/doors/provider_webhook.ts";
import { webhookToken } from "../../shared/http/webhook_token.ts";
import {
  accept,
  brokenInvariants,
  deliver,
  jobsOf,
  newestJob,
  newFamily,
  queueVideo,
  recordEvent,
  value,
} from "../support/fixtures.ts";
import { overlapping } from "../support/overlap.ts";
import { quiet, withSql } from "../support/sql.ts";

interface Event {
  readonly video_job_id: string;
  readonly hash: string;
  readonly payload: unknown;
}

const event = (video_job_id: string, hash = video_job_id): Event => ({
  video_job_id,
  hash,
  payload: { hash },
});

const record = (db: Sql, events: readonly Event[]) =>
  value(db, "select public.record_provider_events('runware', $1) -> 'events' as value", [
    JSON.stringify(events),
  ]);

/** Whether a poller is on its way. */
const rung = (db: Sql) =>
  value(
    db,
    "select exists (select from app.drainers where stage = 'poll' and lease_until > clock_timestamp()) as value",
  );

const kept = (db: Sql) => value(db, "select count(*)::int as value from public.provider_events");

/** Attempts at work, none of which is due. */
async function atWork(db: Sql, count: number): Promise<string[]> {
  const family = await newFamily(db, { gems: 10 * count });
  const jobs: string[] = [];
  for (let n = 0; n < count; n++) {
    jobs.push(await accept(db, (await queueVideo(db, family)).video_id));
  }
  await db.query("update app.drainers set lease_until = clock_timestamp() - interval '1 second'");
  return jobs;
}

Deno.test("an event for an unknown attempt is no error, and the same event is kept once", () =>
  withSql(async (db) => {
    const [job = ""] = await atWork(db, 1);
    const stranger = await recordEvent(db, crypto.randomUUID(), { hash: "a" });
    assertEquals(stranger, { known: false, recorded: false });
    assertEquals(await recordEvent(db, job), { known: true, recorded: true });
    assertEquals(await recordEvent(db, job), { known: true, recorded: false });
    assertEquals(await kept(db), 1);
    assertEquals(await value(db, "select status as value from public.video_jobs"), "processing");
  }));

Deno.test("many in one call: each is answered in its place, and the poller is rung once", () =>
  withSql(async (db) => {
    const jobs = await atWork(db, 3);
    const [one = "", two = "", three = ""] = jobs;
    const stranger = crypto.randomUUID();
    const given = [event(three), event(stranger), event(one), event(three), event(two)];
    assertEquals(await record(db, given), [
      { known: true, recorded: true },
      { known: false, recorded: false },
      { known: true, recorded: true },
      { known: true, recorded: false },
      { known: true, recorded: true },
    ]);
    assertEquals(await rung(db), true);
    assertEquals(await kept(db), 3);
    const due = await duePolls(db, { provider: "runware", most: 9, webhooks: "off" });
    assertEquals(due.map((poll) => poll.video_job_id).toSorted(), jobs.toSorted());
    assertEquals(await brokenInvariants(db), []);
  }));

Deno.test("events that nobody needs ring for nobody", () =>
  withSql(async (db) => {
    const [one = "", two = ""] = await atWork(db, 2);
    await record(db, [event(one), event(two)]);
    await db.query("update app.drainers set lease_until = clock_timestamp() - interval '1 second'");
    assertEquals(await record(db, [event(two), event(crypto.randomUUID()), event(one)]), [
      { known: true, recorded: false },
      { known: false, recorded: false },
      { known: true, recorded: false },
    ]);
    assertEquals(await rung(db), false);
  }));

Deno.test("the same events in two calls at once, the other way round: the second waits and has nothing new", () =>
  withSql(async (db) => {
    const events = (await atWork(db, 4)).map((job) => event(job));
    const { second, waited } = await overlapping(
      db,
      (sql) => record(sql, events),
      () => record(db, events.toReversed()),
    );
    assert(waited);
    assertEquals(second, events.map(() => ({ known: true, recorded: false })));
    assertEquals(await kept(db), 4);
  }));

Deno.test("what comes in while its video is deleted goes with it, or finds nothing any more", () =>
  withSql(async (db) => {
    const family = await newFamily(db, { gems: 20 });
    const made = async () => {
      const { video_id } = await queueVideo(db, family, { hash: crypto.randomUUID() });
      const job = await accept(db, video_id);
      await deliver(db, job);
      return {
        job,
        remove: (sql: Sql) => sql.query("select app.remove_videos(array[$1::uuid])", [video_id]),
      };
    };
    const [first, second] = [await made(), await made()];
    const { waited } = await overlapping(
      db,
      (sql) => record(sql, [event(first.job)]),
      () => first.remove(db),
    );
    assertEquals([waited, await kept(db)], [true, 0]);
    const late = await overlapping(db, second.remove, () => record(db, [event(second.job)]));
    assertEquals([late.waited, await kept(db)], [true, 0]);
    assertEquals(late.second, [{ known: false, recorded: false }]);
  }));

Deno.test("of a flood the first twenty are kept, and the next makes nothing due", () =>
  withSql(async (db) => {
    const [flooded = "", other = ""] = await atWork(db, 2);
    const due = async () =>
      (await duePolls(db, { provider: "runware", most: 9, webhooks: "off" }))
        .map((poll) => poll.video_job_id);
    for (let nth = 1; nth <= 20; nth++) {
      assertEquals(await recordEvent(db, flooded, { hash: `${nth}` }), {
        known: true,
        recorded: true,
      });
    }
    assertEquals(await due(), [flooded]);
    assertEquals(await recordEvent(db, flooded, { hash: "21" }), { known: true, recorded: false });
    assertEquals([await kept(db), await due()], [20, []]);
    assertEquals(await recordEvent(db, other), { known: true, recorded: true });
  }));

Deno.test("one body for two jobs is two events: both are due", () =>
  withSql(async (db) => {
    const jobs = await atWork(db, 2);
    const secret = "a secret of tests that is long enough";
    for (const job of jobs) {
      const url = `http://test/?job=${job}&token=${await webhookToken(secret, job)}`;
      await providerWebhook(
        new Request(url, { method: "POST", body: "{}" }),
        { requestId: "r", log: quiet },
        {
          webhook: { secrets: [secret] },
          record: async (one) => {
            const outcome = { known: true, recorded: true };
            assertEquals(await record(db, [one]), [outcome]);
            return outcome;
          },
        },
      );
    }
    const due = await duePolls(db, { provider: "runware", most: 9, webhooks: "off" });
    assertEquals(due.map((poll) => poll.video_job_id).toSorted(), jobs.toSorted());
  }));

Deno.test("who rings while it is handed over may have it: a refusal that may pass does not make it anew", () =>
  withSql(async (db) => {
    const { video_id } = await queueVideo(db, await newFamily(db, { gems: 10 }));
    const { id } = await newestJob(db, video_id);
    await startSubmissions(db, [id], "w");
    await recordEvent(db, id);
    const refusal = {
      ...{ video_job_id: id, outcome: "failed" as const, code: "http_500", kind: "server" },
      ...{ people_code: "provider_busy", people_message: "Busy.", provider_error: null },
      delay_seconds: 5,
    };
    assertEquals(await recordSubmissions(db, [refusal], "w"), [{
      video_job_id: id,
      result: "held",
    }]);
    assertEquals((await jobsOf(db, video_id)).map(({ status }) => status), ["claimed"]);
    assertEquals(await brokenInvariants(db), []);
  }));

Deno.test("several events wait for whoever works on one of their videos, before they hold an attempt", () =>
  withSql(async (db) => {
    const jobs = await atWork(db, 3);
    const videoId = await value(db, "select video_id as value from public.video_jobs limit 1");
    const { waited } = await overlapping(
      db,
      // As whoever settles does, who comes to the attempts next.
      (sql) => sql.query("select from public.videos where id = $1 for update", [videoId]),
      () => record(db, jobs.map((job) => event(job))),
    );
    assert(waited);
    assertEquals(await kept(db), 3);
  }));
