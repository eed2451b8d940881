import { assertEquals } from "@std/assert";
import type { Database } from "../../shared/db/database.ts";
import {
  prepareSubmitting,
  recordSubmissions,
  settleVideoJobs,
  startSubmissions,
  type SubmissionRecord,
} from "../../shared/db/worker_calls.ts";
import {
  balanceOf,
  brokenInvariants,
  entriesOf,
  type Family,
  newestJob,
  newFamily,
  passTime,
  stateOf,
  value,
  videoOf,
} from "../support/fixtures.ts";
import { withSql } from "../support/sql.ts";

const PROVIDERS = ["runware", "second", "third"];
const busy = {
  code: "rateLimitExceeded",
  kind: "rate",
  people_code: "provider_busy",
  people_message: "Busy.",
  provider_error: { message: "slow down" },
};

/** Two more providers, and a price list for all. */
async function withProviders(work: (db: Database, family: Family) => Promise<void>) {
  await withSql(async (db) => {
    await db.query(
      "insert into app.providers (name, max_in_flight) values ('second', 10), ('third', 10)",
    );
    await db.query(
      `insert into app.prices (provider, model, resolution, gems_per_second)
       select p.name, 'fox', '720p', 1.3 from app.providers p`,
    );
    await work(db, await newFamily(db, { gems: 100 }));
    assertEquals(await brokenInvariants(db), []);
  });
}

const request = {
  kind: "prompt",
  prompt: "A fox on a hill",
  provider: "runware",
  model: "fox",
  options: { duration: 5, resolution: "720p" },
};
const chain = [{ provider: "second", model: "fox" }, { provider: "third", model: "fox" }];

async function queuePrompt(db: Database, { userId }: Family, more: object = {}): Promise<string> {
  const asked = JSON.stringify({ ...request, fallbacks: chain, ...more });
  const id = await value(
    db,
    "select public.queue_video($1, $2, 'hash', 60) ->> 'video_id' as value",
    [userId, asked],
  );
  return String(id);
}

type Outcome = "accepted" | "held" | "unknown" | "failed";

/** Hands the newest attempt over, to this end. */
async function handOver(db: Database, videoId: string, outcome: Outcome, more: object = {}) {
  const { id } = await newestJob(db, videoId);
  await startSubmissions(db, [id], "w");
  const record = outcome === "accepted"
    ? { video_job_id: id, outcome, provider_task_id: id }
    : { video_job_id: id, outcome, ...busy, delay_seconds: 5, ...more };
  const [change] = await recordSubmissions(db, [record satisfies SubmissionRecord], "w");
  return change?.result;
}

/** The newest attempt, which was accepted, fails like this. */
async function fail(db: Database, videoId: string, kind: string, more: object = {}) {
  const { id: video_job_id } = await newestJob(db, videoId);
  const failure = { ...busy, kind, code: "told", retry_seconds: 5, ...more };
  const [change] = await settleVideoJobs(db, [{ video_job_id, state: "failed", ...failure }]);
  return change?.result;
}

async function attemptsOf(db: Database, videoId: string) {
  const rows = await db.query(
    "select attempt, provider, model, status from public.video_jobs where video_id = $1 order by attempt",
    [videoId],
  );
  return rows.map(({ attempt, provider, model, status }) =>
    [attempt, provider, model, status].join(" ")
  );
}

const breakerOf = (db: Database, name = "runware") =>
  value(db, "select app.breaker_state(p) as value from app.providers p where p.name = $1", [name]);

Deno.test("a price is gems a second, rounded up; a model without one is not sold and a quote charges nothing", async () => {
  await withProviders(async (db, family) => {
    const quote = (more: object) =>
      value(db, "select public.quote_video($1, $2) as value", [
        family.userId,
        JSON.stringify({ ...request, ...more }),
      ]);
    assertEquals(await quote({}), {
      title: "A fox on a hill",
      ...{ gem_cost: 7, gem_balance: 100, provider: "runware", model: "fox", model_reason: null },
    });
    assertEquals(await stateOf(quote({ model: "bear" })), "GM010");
    assertEquals(await stateOf(quote({ options: { duration: 5, resolution: "8K" } })), "GM010");
    assertEquals(await stateOf(quote({ options: { duration: 0, resolution: "720p" } })), "GM008");
    assertEquals(await balanceOf(db, family), 100);
    const videoId = await queuePrompt(db, family);
    assertEquals(await entriesOf(db, videoId), [{ kind: "charge", amount: -7 }]);
  });
});

Deno.test("a provider without room: the next of the chain takes over, for the same gems and no retry", async () => {
  await withProviders(async (db, family) => {
    const videoId = await queuePrompt(db, family);
    assertEquals(await handOver(db, videoId, "held"), "moved");
    assertEquals(await attemptsOf(db, videoId), [
      "1 runware fox failed",
      "2 second fox pending",
    ]);
    assertEquals(await handOver(db, videoId, "accepted"), "accepted");
    const { retry_count, status } = await videoOf(db, videoId);
    assertEquals([retry_count, status], [0, "processing"]);
    assertEquals(await entriesOf(db, videoId), [{ kind: "charge", amount: -7 }]);
  });
});

Deno.test("a provider without a server, or whose engine is away, is one that takes nothing: videos move on, its breaker opens", async () => {
  await withProviders(async (db, family) => {
    const unavailable = { kind: "unavailable", code: "noAvailableServer" };
    for (let nth = 1; nth <= 3; nth++) {
      assertEquals(await breakerOf(db), "closed");
      const videoId = await queuePrompt(db, family);
      assertEquals(await handOver(db, videoId, "held", unavailable), "moved");
      assertEquals((await videoOf(db, videoId)).retry_count, 0);
      if (nth < 3) await passTime(db, "1 minute");
    }
    assertEquals(await breakerOf(db), "open");
  });
});

for (
  const kind of ["balance", "rate", "provider", "unavailable", "timeout", "server", "unknown"]
) {
  Deno.test(`accepted and failed by ${kind}: the next attempt is made at the next provider of the chain, at once`, async () => {
    await withProviders(async (db, family) => {
      const videoId = await queuePrompt(db, family);
      await handOver(db, videoId, "accepted");
      assertEquals(await fail(db, videoId, kind), "retried");
      assertEquals(await attemptsOf(db, videoId), [
        "1 runware fox failed",
        "2 second fox pending",
      ]);
      assertEquals(await handOver(db, videoId, "accepted"), "accepted");
      assertEquals(await entriesOf(db, videoId), [{ kind: "charge", amount: -7 }]);
    });
  });
}

Deno.test("an account that runs empty after the provider took the task: it rests, and nobody's retries are spent", async () => {
  await withProviders(async (db, family) => {
    const empty = { kind: "balance", code: "insufficientCredits", retry_seconds: 300 };
    const moving = await queuePrompt(db, family);
    const waiting = await queuePrompt(db, family, { fallbacks: [] });
    for (const videoId of [moving, waiting]) {
      await handOver(db, videoId, "accepted");
      assertEquals(await fail(db, videoId, "balance", empty), "retried");
      assertEquals((await videoOf(db, videoId)).retry_count, 0);
    }
    assertEquals((await attemptsOf(db, moving)).at(-1), "2 second fox pending");
    assertEquals((await attemptsOf(db, waiting)).at(-1), "2 runware fox pending");
    const told =
      "select public.health_report() -> 'providers' -> 'runware' ->> 'pause_reason' as value";
    assertEquals([await breakerOf(db), await value(db, told)], ["paused", "insufficientCredits"]);
    assertEquals(await value(db, "select app.free_slots('runware') as value"), 0);

    // Longer than its retries would last, but not for ever.
    for (let round = 0; round < 4; round++) {
      await passTime(db, "30 minutes");
      await handOver(db, waiting, "accepted");
      assertEquals(await fail(db, waiting, "balance", empty), "retried");
    }
    assertEquals((await videoOf(db, waiting)).retry_count, 0);
    await passTime(db, "4 hours");
    const ends = [];
    for (let round = 0; round < 3; round++) {
      await handOver(db, waiting, "accepted");
      ends.push(await fail(db, waiting, "balance", empty));
    }
    assertEquals(ends, ["retried", "retried", "failed"]);
  });
});

Deno.test("a model that is not offered any more: the others of the chain are asked, no retry, and the provider does not rest", async () => {
  await withProviders(async (db, family) => {
    const videoId = await queuePrompt(db, family);
    const off = { kind: "model_off", code: "modelDisabled", delay_seconds: null };
    for (const end of ["moved", "moved", "failed"]) {
      assertEquals((await videoOf(db, videoId)).retry_count, 0);
      assertEquals(await handOver(db, videoId, "failed", off), end);
    }
    assertEquals(await attemptsOf(db, videoId), [
      "1 runware fox failed",
      "2 second fox failed",
      "3 third fox failed",
    ]);
    assertEquals([await balanceOf(db, family), await breakerOf(db)], [100, "closed"]);

    const later = await queuePrompt(db, family);
    await handOver(db, later, "accepted");
    assertEquals(await fail(db, later, "model_off", { retry_seconds: null }), "retried");
    assertEquals((await attemptsOf(db, later)).at(-1), "2 second fox pending");
  });
});

Deno.test("a model that is off is not bought elsewhere where the provider may have the attempt already", async () => {
  await withProviders(async (db, family) => {
    const videoId = await queuePrompt(db, family);
    assertEquals(await handOver(db, videoId, "unknown"), "held");
    await passTime(db, "1 minute");
    const off = { kind: "model_off", code: "modelDisabled", delay_seconds: null };
    assertEquals(await handOver(db, videoId, "failed", off), "failed");
    assertEquals(await attemptsOf(db, videoId), ["1 runware fox failed"]);
  });
});

Deno.test("a provider in trouble is not its own way out; of a model that is off another one of it is", async () => {
  await withProviders(async (db, family) => {
    const fallbacks = [
      { provider: "runware", model: "fox" },
      { provider: "runware", model: "bear" },
      { provider: "third", model: "fox" },
    ];
    const away = await queuePrompt(db, family, { fallbacks });
    assertEquals(await handOver(db, away, "held", { kind: "unavailable" }), "moved");
    assertEquals((await attemptsOf(db, away)).at(-1), "2 third fox pending");
    await passTime(db, "1 minute");
    const off = await queuePrompt(db, family, { fallbacks });
    const told = { kind: "model_off", delay_seconds: null };
    assertEquals(await handOver(db, off, "failed", told), "moved");
    assertEquals((await attemptsOf(db, off)).at(-1), "2 runware bear pending");
  });
});

Deno.test("a picture that our own Storage does not give now is not the provider's fault: the video waits where it is", async () => {
  await withProviders(async (db, family) => {
    const videoId = await queuePrompt(db, family);
    const unreadable = { code: "avatar_unreadable", kind: "server" };
    for (let time = 0; time < 5; time++) {
      assertEquals(await handOver(db, videoId, "held", unreadable), "held");
    }
    assertEquals(await attemptsOf(db, videoId), ["1 runware fox pending"]);
    assertEquals(await breakerOf(db), "closed");
  });
});

Deno.test("at the end of the chain a video waits, and is not failed", async () => {
  await withProviders(async (db, family) => {
    const videoId = await queuePrompt(db, family);
    for (const end of ["moved", "moved", "held"]) {
      assertEquals(await handOver(db, videoId, "held"), end);
    }
    assertEquals((await videoOf(db, videoId)).status, "queued");
    assertEquals(await balanceOf(db, family), 93);
  });
});

Deno.test("what the provider refuses for what it shows moves nowhere", async () => {
  await withProviders(async (db, family) => {
    const videoId = await queuePrompt(db, family);
    const refusal = { kind: "safety", code: "invalidContent", delay_seconds: null };
    assertEquals(await handOver(db, videoId, "failed", refusal), "failed");
    assertEquals(await attemptsOf(db, videoId), ["1 runware fox failed"]);
    assertEquals(await balanceOf(db, family), 100);
  });
});

Deno.test("an attempt that may have been bought never moves on", async () => {
  await withProviders(async (db, family) => {
    const videoId = await queuePrompt(db, family);
    assertEquals(await handOver(db, videoId, "unknown"), "held");
    await passTime(db, "1 minute");
    assertEquals(await handOver(db, videoId, "held"), "held");
    assertEquals(await attemptsOf(db, videoId), ["1 runware fox claimed"]);
  });
});

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

Deno.test("what waits for a provider that rests moves on; without another provider it stays", async () => {
  await withProviders(async (db, family) => {
    const moving = await queuePrompt(db, family);
    const staying = await queuePrompt(db, family, { fallbacks: [] });
    assertEquals(await value(db, "select app.work_due('submit') as value"), true);
    await db.query("update app.providers set paused_until = now() + interval '1 hour'");
    assertEquals(await value(db, "select app.work_due('submit') as value"), false);
    await db.query("update app.providers set paused_until = null where name = 'third'");
    assertEquals(await value(db, "select app.work_due('submit') as value"), true);
    assertEquals(await prepareSubmitting(db, PROVIDERS), 1);
    assertEquals(await attemptsOf(db, moving), ["1 runware fox failed", "2 third fox pending"]);
    assertEquals(await attemptsOf(db, staying), ["1 runware fox pending"]);
    assertEquals(await prepareSubmitting(db, PROVIDERS), 0);
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
    assertEquals(await prepareSubmitting(db, PROVIDERS), 1);
    assertEquals(await whereabouts(), ["second", "runware", "runware", "runware"]);
    const [first = ""] = (await db.query("select id from public.videos where provider = 'second'"))
      .map((row) => String(row["id"]));
    assertEquals(await prepareSubmitting(db, PROVIDERS), 0);
    assertEquals(await handOver(db, first, "accepted"), "accepted");
    assertEquals(await prepareSubmitting(db, PROVIDERS), 3);
    assertEquals(await whereabouts(), ids.map(() => "second"));
  });
});

Deno.test("a provider that this deployment has no key for rests, and cron rings for nobody", async () => {
  await withProviders(async (db, family) => {
    const videoId = await queuePrompt(db, family, { provider: "second", fallbacks: [] });
    assertEquals(await prepareSubmitting(db, ["runware"]), 0);
    assertEquals(await breakerOf(db, "second"), "paused");
    assertEquals(await value(db, "select app.work_due('submit') as value"), false);
    // A provider that nobody waits for is left as it is.
    assertEquals(await breakerOf(db, "third"), "closed");
    assertEquals((await videoOf(db, videoId)).status, "queued");
  });
});

Deno.test("two workers that move the same videos on at once: each moves once", async () => {
  await withProviders(async (db, family) => {
    const ids = [];
    for (let count = 0; count < 8; count++) ids.push(await queuePrompt(db, family));
    await db.query(
      "update app.providers set paused_until = now() + interval '1 hour' where name = 'runware'",
    );
    const workers = Array.from({ length: 4 }, () => prepareSubmitting(db, PROVIDERS));
    const moved = (await Promise.all(workers)).reduce((sum, count) => sum + count, 0);
    assertEquals(moved, 8);
    for (const id of ids) {
      assertEquals(await attemptsOf(db, id), ["1 runware fox failed", "2 second fox pending"]);
    }
    // None is left in the way of those that will try whether the provider is back.
    const left = `select array_agg(distinct j.name::text) as value from pgboss.job j
      where j.name like 'submit-%' and j.state <= 'active'`;
    assertEquals(await value(db, left), ["submit-second"]);
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
    const rest = async () => {
      const [row] = await db.query(
        `select app.breaker_state(p) as breaker, p.pause_reason as reason,
           round(extract(epoch from p.paused_until - clock_timestamp()))::int as seconds
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
