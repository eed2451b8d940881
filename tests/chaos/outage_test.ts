/** Postgres dies and the network is cut under load: the same promises hold. */
import { assert, assertEquals } from "@std/assert";
import { call, headersOf } from "../support/app.ts";
import { until } from "../support/until.ts";
import { withDatabase } from "../support/database.ts";
import { assertDiscreet, Customers } from "./outage/customers.ts";
import { assertAllIsWell, untilAllAreOver } from "./outage/ends.ts";
import { type OpenStack, withOpenStack } from "./outage/open_stack.ts";
import { withOwnPostgres } from "./outage/own_postgres.ts";
import { withProxy } from "./outage/tcp_proxy.ts";

const PEOPLE = 4;
const VIDEOS_EACH = 10;

/** Resolves once at least `least` videos are in one of these states. */
function videosIn(app: OpenStack, states: readonly string[], least: number): Promise<true> {
  return until(`${least} videos are ${states.join(" or ")}`, async () => {
    const [row] = await app.db.query(
      "select count(*)::int as n from public.videos where status = any ($1)",
      [states],
    );
    return Number(row?.["n"]) >= least ? true : undefined;
  }, { minutes: 2 });
}

/** Knocks at every door while the database is away. */
async function knockEverywhere(app: OpenStack, customers: Customers): Promise<void> {
  const [person] = customers.all;
  if (person === undefined) throw new Error("Nobody has signed up");
  const user = { ...headersOf(app, person), "content-type": "application/json" };
  const cron = { apikey: app.cronKey };
  const id = crypto.randomUUID();
  const answers = await Promise.all([
    call(app, "queue-video", {
      headers: user,
      body: JSON.stringify({ child_id: person.childId, rhyme_id: crypto.randomUUID() }),
    }),
    call(app, `video-status?video_id=${id}`, { method: "GET", headers: user }),
    call(app, "cancel-video", { headers: user, body: JSON.stringify({ video_id: id }) }),
    call(app, "health", { method: "GET", headers: { apikey: app.secretKey } }),
    ...["submit-videos", "poll-videos", "store-videos", "maintain"].map((name) =>
      call(app, `${name}?wait=1`, { headers: cron })
    ),
  ]);
  for (const answer of answers) assertDiscreet(answer, app);
}

Deno.test("Postgres killed twice under 40 videos: all end, paid once, bought once, and no answer tells why", async () => {
  await withOwnPostgres(async (postgres) => {
    await withOpenStack({ directUrl: postgres.url }, async (app) => {
      const customers = await Customers.signUp(app, PEOPLE);
      const outage = async (states: readonly string[]) => {
        await videosIn(app, states, 5);
        await postgres.kill();
        try {
          await knockEverywhere(app, customers);
        } finally {
          await postgres.restart();
        }
      };
      const [videoIds] = await Promise.all([
        customers.queueEach(VIDEOS_EACH),
        outage(["processing", "rendering"]),
      ]);
      await outage(["rendering", "completed"]);
      await untilAllAreOver(app);
      await assertAllIsWell(app, videoIds);
      for (const refusal of customers.refusals) assertDiscreet(refusal, app);
    });
  });
});

Deno.test("workers' connections to Postgres cut in the middle of calls, again and again: all end, paid once, bought once", async () => {
  await withDatabase(async ({ url }) => {
    await withProxy(async (proxy) => {
      proxy.leadTo(Number(new URL(url).port));
      const wire = new URL(url);
      wire.port = String(proxy.port);
      await withOpenStack({
        directUrl: url,
        functionsEnv: { SUPABASE_DB_URL: wire.href },
      }, async (app) => {
        const customers = await Customers.signUp(app, PEOPLE);
        // Ever further apart, at odd places, until the wire holds.
        proxy.cutAfter((n) => n <= 15 ? 3 + 17 * n : undefined);
        const videoIds = await customers.queueEach(VIDEOS_EACH);
        await untilAllAreOver(app);
        await assertAllIsWell(app, videoIds);
        assertEquals(customers.refusals, []);
        assert(proxy.cuts >= 15, `${proxy.cuts} connections were cut`);
      });
    });
  });
});

Deno.test("connections to the provider cut in the middle of calls: what it took and we never heard of is not bought again", async () => {
  await withDatabase(async ({ url }) => {
    await withProxy(async (proxy) => {
      const address = `http://127.0.0.1:${proxy.port}`;
      await withOpenStack({
        directUrl: url,
        functionsEnv: { RUNWARE_URL: `${address}/v1` },
        runware: { mediaUrl: `${address}/media` },
      }, async (app) => {
        proxy.leadTo(app.sandbox.port);
        const customers = await Customers.signUp(app, PEOPLE);
        // The first answers are those to the first submits.
        proxy.loseAnswers(3);
        const videoIds = await customers.queueEach(VIDEOS_EACH / 2);
        await app.sandbox.control.waitFor(({ counts }) => counts.conflicts > 0);
        proxy.cutAfter((n) => n <= 10 ? 5 + n : undefined);
        videoIds.push(...await customers.queueEach(VIDEOS_EACH / 2));
        await untilAllAreOver(app);
        await assertAllIsWell(app, videoIds);
        assertEquals(customers.refusals, []);
        assert(proxy.cuts >= 13, `${proxy.cuts} connections were cut`);
      });
    });
  });
});
