import { assertEquals } from "@std/assert";
import {
  prepareSubmitting,
  recordSubmissions,
  startSubmissions,
  type SubmissionRecord,
} from "../../shared/db/submit_calls.ts";
import type { Database } from "../../shared/db/database.ts";
import { balanceOf, newestJob, newFamily, passTime, value, videoOf } from "../support/fixtures.ts";
import {
  attemptsOf,
  breakerOf,
  busy,
  handOver,
  PROVIDERS,
  queuePrompt,
  withProviders,
} from "../support/makers.ts";

Deno.test("a breaker opens when a provider takes nothing three times in a row, lets one try, and closes when that is taken", async () => {
  await withProviders(async (db, family) => {
    const slots = () => value(db, "select app.free_slots('runware') as value");
    const alone = { fallbacks: [] };
    const videoId = await queuePrompt(db, family, alone);
    const other = await queuePrompt(db, family, alone);
    const states = [];
    for (let refusals = 0; refusals < 3; refusals++) {
      states.push(await breakerOf(db));
      await handOver(db, videoId, "unknown");
      if (refusals < 2) await passTime(db, "10 seconds");
    }
    states.push(await breakerOf(db));
    await passTime(db, "10 seconds");
    states.push(await breakerOf(db), await slots());
    await passTime(db, "10 seconds");
    states.push(await breakerOf(db), await slots());
    assertEquals(states, ["closed", "closed", "closed", "open", "open", 0, "half_open", 1]);

    await startSubmissions(db, [(await newestJob(db, other)).id], "w");
    assertEquals(await slots(), 0, "one at a time");
    await passTime(db, "1 minute");
    await handOver(db, videoId, "unknown");
    assertEquals(await breakerOf(db), "open");
    await passTime(db, "29 seconds");
    assertEquals(await breakerOf(db), "open", "twice as long the second time");
    await passTime(db, "2 seconds");
    await handOver(db, videoId, "accepted");
    assertEquals([await breakerOf(db), Number(await slots()) > 1], ["closed", true]);
  });
});

Deno.test("a rest that a provider asked for is not cut short by a later, milder refusal", async () => {
  await withProviders(async (db, family) => {
    const rest = () =>
      value(db, "select paused_until as value from app.providers where name = 'runware'");
    const [first, second] = [
      await queuePrompt(db, family, { fallbacks: [] }),
      await queuePrompt(db, family, { fallbacks: [] }),
    ];
    await handOver(db, first, "held", { delay_seconds: 600 });
    const asked = await rest();
    await handOver(db, second, "held", { delay_seconds: 5 });
    assertEquals(await rest(), asked);
    await passTime(db, "9 minutes");
    assertEquals(await breakerOf(db), "paused");
  });
});

Deno.test("what waits for a provider that rests moves on; without another provider it stays", async () => {
  await withProviders(async (db, family) => {
    const moving = await queuePrompt(db, family);
    const staying = await queuePrompt(db, family, { fallbacks: [] });
    assertEquals(await value(db, "select app.work_due('submit') as value"), true);
    await db.query("update app.providers set paused_until = now() + interval '1 hour'");
    assertEquals(await value(db, "select app.work_due('submit') as value"), false);
    await db.query("update app.providers set paused_until = null where name = 'third'");
    assertEquals(await value(db, "select app.work_due('submit') as value"), true);
    assertEquals((await prepareSubmitting(db, PROVIDERS)).moved, 1);
    assertEquals(await attemptsOf(db, moving), ["1 runware fox failed", "2 third fox pending"]);
    assertEquals(await attemptsOf(db, staying), ["1 runware fox pending"]);
    assertEquals((await prepareSubmitting(db, PROVIDERS)).moved, 0);
  });
});

Deno.test("while nobody takes work, no video that waits is asked where it could go", async () => {
  await withProviders(async (db, family) => {
    for (let count = 0; count < 3; count++) await queuePrompt(db, family);
    const asked = () =>
      db.transaction(async (sql) => {
        await sql.query("set local track_functions = 'pl'");
        await sql.query("select app.work_due('submit')");
        return await value(
          sql,
          `select coalesce(sum(calls), 0)::int as value from pg_stat_xact_user_functions
           where funcname = 'next_fallback'`,
        );
      });
    await db.query("update app.providers set paused_until = now() + interval '1 hour'");
    assertEquals(await asked(), 0);
    await db.query("update app.providers set paused_until = null where name = 'third'");
    assertEquals(await asked(), 1);
  });
});

Deno.test("of what waits, one tries whether a half open provider is back; the others follow when it is", async () => {
  await withProviders(async (db, family) => {
    const fallbacks = [{ provider: "second", model: "fox" }];
    const ids = [];
    for (let count = 0; count < 4; count++) ids.push(await queuePrompt(db, family, { fallbacks }));
    const whereabouts = async () =>
      (await db.query("select provider from public.videos order by provider desc"))
        .map((row) => row["provider"]);
    await db.query(`update app.providers set paused_until = now() + interval '1 minute',
      failures = case name when 'second' then 9 else 0 end`);
    const oneMinuteLater = "update app.providers set paused_until = null where name = 'second'";
    await db.query(oneMinuteLater);
    assertEquals(await breakerOf(db, "second"), "half_open");
    assertEquals((await prepareSubmitting(db, PROVIDERS)).moved, 1);
    assertEquals(await whereabouts(), ["second", "runware", "runware", "runware"]);
    const [first = ""] = (await db.query("select id from public.videos where provider = 'second'"))
      .map((row) => String(row["id"]));
    assertEquals((await prepareSubmitting(db, PROVIDERS)).moved, 0);
    assertEquals(await handOver(db, first, "accepted"), "accepted");
    assertEquals((await prepareSubmitting(db, PROVIDERS)).moved, 3);
    assertEquals(await whereabouts(), ids.map(() => "second"));
  });
});

/** Attempts that wait for the provider, in the order in which they are given out. */
const waitingFor = async (db: Database, provider: string) =>
  (await db.query(
    `select v.id from pgboss.job q join public.video_jobs j on j.id = q.id join public.videos v on v.id = j.video_id
     where q.name = app.submit_queue($1) and q.state < 'active' order by q.priority desc, q.created_on, q.id`,
    [provider],
  )).map(({ id }) => String(id));

Deno.test("what a provider never takes is not all that it is asked, however cheap it is", async () => {
  await withProviders(async (db, family) => {
    const cheap = await queuePrompt(db, family, {
      fallbacks: [],
      options: { duration: 1, resolution: "720p" },
    });
    const dear = await queuePrompt(db, await newFamily(db, { gems: 100 }), {
      fallbacks: [],
      options: { duration: 10, resolution: "720p" },
    });
    const order = async () =>
      (await waitingFor(db, "runware")).map((id) => id === cheap ? "cheap" : "dear");
    assertEquals(await order(), ["cheap", "dear"]);
    await handOver(db, cheap, "held");
    await passTime(db, "3 minutes");
    await handOver(db, cheap, "held");
    assertEquals(await order(), ["dear", "cheap"]);
    assertEquals((await videoOf(db, dear)).status, "queued");
  });
});

Deno.test("what moves on while it waits is as far behind at the next provider as it was", async () => {
  await withProviders(async (db, family) => {
    const fallbacks = [{ provider: "second", model: "fox" }];
    const many = [];
    for (let nth = 0; nth < 3; nth++) many.push(await queuePrompt(db, family, { fallbacks }));
    const other = await newFamily(db, { gems: 100 });
    const one = await queuePrompt(db, other, { provider: "second", fallbacks: [] });
    await db.query(
      "update app.providers set paused_until = now() + interval '1 hour' where name = 'runware'",
    );
    assertEquals((await prepareSubmitting(db, PROVIDERS)).moved, 3);
    const order = await waitingFor(db, "second");
    assertEquals(order.filter((id) => id !== one), many);
    assertEquals(order.indexOf(one), 0);
  });
});

Deno.test("how far one provider's clock has come says nothing of a user's place at another", async () => {
  await withProviders(async (db, family) => {
    await db.query(
      "update app.fair_clocks set tag = 500000, base = 500000 where provider = 'runware'",
    );
    await queuePrompt(db, family, { fallbacks: [] });
    const other = await newFamily(db, { gems: 100 });
    const others = [];
    const at = { provider: "second", fallbacks: [] };
    for (let nth = 0; nth < 3; nth++) others.push(await queuePrompt(db, other, at));
    const mine = await queuePrompt(db, family, at);
    // One waits elsewhere, so it is this user's second.
    assertEquals(await waitingFor(db, "second"), [...others.slice(0, 2), mine, ...others.slice(2)]);
  });
});

Deno.test("a provider that this deployment has no key for rests, and cron rings for nobody", async () => {
  await withProviders(async (db, family) => {
    const videoId = await queuePrompt(db, family, { provider: "second", fallbacks: [] });
    assertEquals((await prepareSubmitting(db, ["runware"])).moved, 0);
    assertEquals(await breakerOf(db, "second"), "paused");
    assertEquals(await value(db, "select app.work_due('submit') as value"), false);
    // A provider that nobody waits for is left as it is.
    assertEquals(await breakerOf(db, "third"), "closed");
    assertEquals((await videoOf(db, videoId)).status, "queued");
  });
});
Deno.test("creates of unknown outcome open the breaker of a provider with ids of its own, at once when there are enough", async () => {
  await withProviders(async (db, family) => {
    await db.query("update app.providers set chooses_task_id = false where name = 'second'");
    const lose = async (count: number, more: readonly SubmissionRecord[] = []) => {
      const ids = [];
      for (let nth = 0; nth < count; nth++) {
        const id = await queuePrompt(db, family, { provider: "second", fallbacks: [] });
        ids.push((await newestJob(db, id)).id);
      }
      await startSubmissions(db, [...ids, ...more.map((one) => one.video_job_id)], "w");
      const lost = ids.map((id) => ({
        ...{ video_job_id: id, outcome: "failed" as const, ...busy },
        ...{ kind: "server", code: "unknown_outcome", delay_seconds: null },
      }));
      const changes = await recordSubmissions(db, [...lost, ...more], "w");
      return changes.map(({ result }) => result);
    };
    /** To five seconds: some have gone by since. */
    const rest = async () => {
      const [row] = await db.query(
        `select app.breaker_state(p) as breaker, p.pause_reason as reason,
           (5 * round(extract(epoch from p.paused_until - clock_timestamp()) / 5))::int as seconds
         from app.providers p where name = 'second'`,
      );
      return [row?.["breaker"], row?.["reason"], row?.["seconds"]];
    };
    assertEquals(await lose(1), ["failed"]);
    assertEquals(await rest(), ["paused", "unknown_outcome", 5]);
    await passTime(db, "6 seconds");
    // All of one batch: it is not handed two more, and its first rest is no longer than any first.
    assertEquals(await lose(5), Array(5).fill("failed"));
    assertEquals(await rest(), ["open", "unknown_outcome", 15]);
    await passTime(db, "16 seconds");
    assertEquals(await breakerOf(db, "second"), "half_open");
    await lose(1);
    assertEquals(await rest(), ["open", "unknown_outcome", 30]);
    await passTime(db, "31 seconds");

    // One that was taken among them says that the provider is there.
    const id = await queuePrompt(db, family, { provider: "second", fallbacks: [] });
    const taken = { video_job_id: (await newestJob(db, id)).id, outcome: "accepted" as const };
    await lose(2, [{ ...taken, provider_task_id: "theirs" }]);
    assertEquals(await breakerOf(db, "second"), "closed");
    assertEquals(await balanceOf(db, family), 93);
  });
});
