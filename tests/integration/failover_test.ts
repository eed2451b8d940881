/** A provider that is down, or has nothing left on our account, under the whole stack running by itself. */
import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import { type RunwareSandbox, startRunwareSandbox } from "../../local/sandbox/runware.ts";
import type { RunwaySandbox } from "../../local/sandbox/runway.ts";
import type { KieSandbox } from "../../local/sandbox/kie.ts";
import { type AppStack, call, type Customer, headersOf, newCustomer } from "../support/app.ts";
import { over, withApp, work } from "../support/app.ts";
import { until } from "../support/until.ts";
import { byHand, polled, submitted } from "../support/by_hand.ts";
import { brokenInvariants, entriesOf, value, videoOf } from "../support/fixtures.ts";

/** Videos that come in while Runware is down, in waves; as many as one user may have under way, each. */
const VIDEOS = 300;
const WAVES = 5;
const EACH = 20;
const GEMS = 1_000;

const ON_RUNWAY = { provider: "runway", model: "gen4.5" };
const ON_KIE = { provider: "kie" };
const CHAIN = [ON_RUNWAY, ON_KIE];

/** Asks for a video of Runware's that others may make. Answers its id. */
async function ask(app: AppStack, who: Customer, fallbacks: object = CHAIN): Promise<string> {
  const { status, body } = await call(app, "queue-video", {
    headers: headersOf(app, who),
    body: JSON.stringify({
      ...{ kind: "prompt", prompt: "A fox runs over a hill", duration: 5, aspect_ratio: "16:9" },
      ...{ provider: "runware", model: "klingai:4@3", fallbacks },
    }),
  });
  assertEquals(status, 201, JSON.stringify(body));
  return z.uuid().parse(body["video_id"]);
}

async function breakerOf({ db }: AppStack): Promise<string> {
  const statement =
    "select app.breaker_state(p) as value from app.providers p where p.name = 'runware'";
  return z.string().parse(await value(db, statement));
}

/** How often attempts went to each provider, by what became of them. */
async function attemptsOf({ db }: AppStack): Promise<Record<string, number>> {
  const rows = await db.query(
    `select concat_ws(' ', j.provider, j.status, j.error_code) as what, count(*)::int as times
     from public.video_jobs j group by 1 order by 1`,
  );
  return Object.fromEntries(rows.map((row) => [String(row["what"]), Number(row["times"])]));
}

/** A rest of Runware's ends so much earlier: what a minute holds, in seconds. */
async function restPasses({ db }: AppStack, seconds: number): Promise<void> {
  await db.query(
    "update app.providers set paused_until = paused_until - $1 * interval '1 second' where name = 'runware'",
    [seconds],
  );
}

interface Providers {
  readonly runware: RunwareSandbox;
  readonly runway: RunwaySandbox;
  readonly kie: KieSandbox;
}

function sandboxesOf({ providers }: AppStack): Providers {
  const [runware, runway, kie] = [
    providers.runware.sandbox,
    providers.runway.sandbox,
    providers.kie.sandbox,
  ];
  if (runware === null || runway === null || kie === null) throw new Error("A sandbox is missing");
  return { runware, runway, kie };
}

/** Tasks that the others have sold. */
function boughtElsewhere({ runway, kie }: Providers): number {
  return runway.control.state().counts.accepted + kie.control.state().counts.accepted;
}

Deno.test(`Runware is down for a minute under ${VIDEOS} videos: all complete elsewhere, one charge each, and it is tried anew`, async () => {
  await withApp({
    runware: { knobs: { renderMs: 500 } },
    runway: { knobs: { renderMs: 500, pendingMs: 0 } },
    kie: { knobs: { renderMs: 500, queueMs: 0, hiddenMs: 0 } },
  }, async (app) => {
    const sandboxes = sandboxesOf(app);
    await app.db.query(
      "update app.providers set max_in_flight = 400, min_poll_seconds = least(min_poll_seconds, 1)",
    );
    const customers = await Promise.all(
      Array.from({ length: VIDEOS / EACH }, () => newCustomer(app, { gems: GEMS })),
    );
    const states: string[] = [];
    const see = async (when: string) => states.push(`${when}: ${await breakerOf(app)}`);
    const ids: string[] = [];
    const wave = async (nth: number) => {
      // One of them has KIE first in line, which takes two new tasks a second and no more.
      await Promise.all(customers.map(async (who, at) => {
        const chain = at === 0 ? [ON_KIE, ON_RUNWAY] : CHAIN;
        for (let n = 0; n < EACH / WAVES; n++) ids.push(await ask(app, who, chain));
      }));
      await until("nobody waits for Runware any more", async () => {
        const waiting = await value(
          app.db,
          "select count(*)::int as value from public.videos where provider = 'runware' and under_way",
        );
        return waiting === 0 || undefined;
      });
      await see(`wave ${nth}`);
    };

    await see("at first");
    await sandboxes.runware.close();
    for (let nth = 1; nth <= WAVES; nth++) {
      await wave(nth);
      // The first rests are those that any server in trouble gets; then the breaker's own, which grow.
      await restPasses(app, nth < 4 ? 15 : 30);
      await see(`wave ${nth}, rested`);
    }
    const ends = await over(app, ids, { minutes: 3 });
    assertEquals(new Set(ends), new Set(["completed"]));
    assertEquals([new Set(ids).size, boughtElsewhere(sandboxes)], [VIDEOS, VIDEOS]);

    // Back, on the port that it had.
    const { port } = sandboxes.runware;
    const back = await startRunwareSandbox({ port, knobs: { renderMs: 500 } });
    try {
      await restPasses(app, 600);
      await see("back");
      const late = await Promise.all(customers.map((who) => ask(app, who)));
      assertEquals(new Set(await over(app, late)), new Set(["completed"]));
      await see("new videos");
      assertEquals(back.control.state().counts.tasksAccepted, late.length);
    } finally {
      await back.close();
    }
    const attempts = await attemptsOf(app);
    console.log([...states, JSON.stringify(attempts)].join("\n"));
    assertEquals(states.at(0), "at first: closed");
    const third = states.findIndex((state) => state.startsWith("wave 3"));
    const later = states.slice(third).map((state) => state.split(": ")[1]);
    // However slow the machine: three refusals open the breaker, and nothing but a success closes it.
    assertEquals(later.slice(-2), ["half_open", "closed"]);
    assertEquals(new Set(later.slice(0, -1)), new Set(["open", "half_open"]), states.join());
    assertEquals(attempts["kie completed"], EACH);
    assertEquals(boughtElsewhere(sandboxes), VIDEOS, "nothing was bought elsewhere after all");
    // Who found out: of the three waves that opened the breaker all at most, and then one at a time,
    // at a half open one. The others were told.
    const refused = attempts["runware failed unreachable"] ?? 0;
    const most = 3 * VIDEOS / WAVES + WAVES;
    assert(refused >= WAVES && refused <= most, JSON.stringify(attempts));
    await assertChargedOnce(app, customers.length * EACH + customers.length);
  });
});

/** Every video: one charge and no refund; told of once, stored once; no retry used up. */
async function assertChargedOnce(app: AppStack, videos: number): Promise<void> {
  const [found] = await app.db.query(
    `select count(*)::int as videos, sum(v.retry_count)::int as retries,
       (select count(*)::int from public.gem_entries e where e.kind = 'charge') as charges,
       (select count(*)::int from public.gem_entries e where e.kind = 'refund') as refunds,
       (select count(*)::int from public.notifications) as notices,
       (select count(*)::int from storage.objects o where o.bucket_id = 'videos') as objects
     from public.videos v`,
  );
  const each = { videos, charges: videos, notices: videos, objects: videos };
  assertEquals(found, { ...each, refunds: 0, retries: 0 });
  assertEquals(await brokenInvariants(app.db), []);
}

const account = z.object({
  report: z.object({
    providers: z.object({
      runware: z.object({ breaker: z.string(), pause_reason: z.string().nullable() }),
    }),
  }),
});

Deno.test("an empty account at Runware pauses it and shows in health; videos move on or wait, and none fails", async () => {
  await byHand({}, async (app) => {
    const { runware, runway } = sandboxesOf(app);
    const customer = await newCustomer(app);
    runware.control.configure({ insufficientCredits: 1 });
    const moving = await ask(app, customer);
    const waiting = await ask(app, customer, []);
    await work(app, "submit-videos");
    const { body } = await call(app, "health", {
      ...{ method: "GET", headers: { apikey: app.secretKey } },
    });
    assertEquals(account.parse(body).report.providers.runware, {
      breaker: "paused",
      pause_reason: "insufficientCredits",
    });
    assertEquals(boughtElsewhere(sandboxesOf(app)), 1);
    assertEquals(await attemptsOf(app), {
      "runware failed insufficientCredits": 1,
      "runware pending insufficientCredits": 1,
      "runway processing": 1,
    });
    assertEquals((await videoOf(app.db, moving)).status, "processing");
    assertEquals((await videoOf(app.db, waiting)).status, "queued");

    // Filled up: what has waited goes to Runware, what has moved is not bought again.
    runware.control.configure({ insufficientCredits: 0 });
    await app.db.query("update app.providers set paused_until = now() - interval '1 second'");
    await app.db.query("update pgboss.job set start_after = now() where state < 'active'");
    await work(app, "submit-videos");
    assertEquals(runware.control.state().counts.tasksAccepted, 1);
    assertEquals(runway.control.state().counts.accepted, 1);
    assertEquals(await breakerOf(app), "closed");
  });
});

Deno.test("an account at Runware that runs empty under what it has taken: health tells, the video is made elsewhere", async () => {
  await byHand({}, async (app) => {
    const { runware } = sandboxesOf(app);
    const videoId = await ask(app, await newCustomer(app));
    runware.control.fail(await submitted(app, videoId), "providerInsufficientCredits");
    await polled(app);
    const { body } = await call(app, "health", {
      ...{ method: "GET", headers: { apikey: app.secretKey } },
    });
    assertEquals(account.parse(body).report.providers.runware, {
      breaker: "paused",
      pause_reason: "providerInsufficientCredits",
    });
    await work(app, "submit-videos");
    assertEquals(await attemptsOf(app), {
      "runware failed providerInsufficientCredits": 1,
      "runway processing": 1,
    });
    assertEquals((await videoOf(app.db, videoId)).retry_count, 0);
  });
});

Deno.test("what Runware refuses to show moves nowhere: the video fails and the gems come back", async () => {
  await byHand({}, async (app) => {
    const sandboxes = sandboxesOf(app);
    sandboxes.runware.control.configure({ safetyRefusal: 1 });
    const videoId = await ask(app, await newCustomer(app));
    await work(app, "submit-videos");
    const { status, error_code } = await videoOf(app.db, videoId);
    assertEquals([status, error_code], ["failed", "content_refused"]);
    const kinds = (await entriesOf(app.db, videoId)).map(({ kind }) => kind);
    assertEquals(kinds, ["charge", "refund"]);
    assertEquals([boughtElsewhere(sandboxes), await breakerOf(app)], [0, "closed"]);
  });
});
