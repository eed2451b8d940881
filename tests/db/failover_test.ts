import { assertEquals } from "@std/assert";
import { prepareSubmitting } from "../../shared/db/submit_calls.ts";
import { balanceOf, entriesOf, passTime, stateOf, value, videoOf } from "../support/fixtures.ts";
import {
  attemptsOf,
  breakerOf,
  fail,
  handOver,
  PROVIDERS,
  queuePrompt,
  request,
  withProviders,
} from "../support/makers.ts";

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

    // Longer than its retries would last, but not forever.
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
Deno.test("two workers that move the same videos on at once: each moves once", async () => {
  await withProviders(async (db, family) => {
    const ids = [];
    for (let count = 0; count < 8; count++) ids.push(await queuePrompt(db, family));
    await db.query(
      "update app.providers set paused_until = now() + interval '1 hour' where name = 'runware'",
    );
    const workers = Array.from({ length: 4 }, () => prepareSubmitting(db, PROVIDERS));
    const moved = (await Promise.all(workers)).reduce((sum, { moved }) => sum + moved, 0);
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
