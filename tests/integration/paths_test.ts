import { assertEquals } from "@std/assert";
import { newCustomer, over, queued, withApp } from "../support/app.ts";
import { until } from "../support/until.ts";
import { brokenInvariants } from "../support/fixtures.ts";

const QUICK = { knobs: { renderMs: 50 } };

/** The entries and notices of one video that came to its end without trouble. */
const ONE_OF_EACH = {
  stages: ["initializing", "analyzing", "rendering", "finalizing", "completed"],
  ledger: ["charge"],
  notifications: ["video_ready"],
};

async function tracesOf(app: Parameters<Parameters<typeof withApp>[1]>[0], videoId: string) {
  const column = async (text: string) =>
    (await app.db.query(text, [videoId])).map((row) => row["value"]);
  return {
    stages: await column(
      `select stage as value from public.video_progress
       where video_id = $1 and stage <> 'generating' order by id`,
    ),
    ledger: await column("select kind as value from public.gem_entries where video_id = $1"),
    notifications: await column(
      "select kind as value from public.notifications where video_id = $1",
    ),
  };
}

Deno.test("F11 webhooks alone complete a video: nothing else rings and no poll comes due", async () => {
  const options = { cron: false, settings: { poll_steps: [100_000] }, runware: QUICK } as const;
  await withApp(options, async (app) => {
    const customer = await newCustomer(app);
    const videoId = await queued(app, customer);
    assertEquals(await over(app, [videoId]), ["completed"]);
    assertEquals(await tracesOf(app, videoId), ONE_OF_EACH);
    assertEquals(await brokenInvariants(app.db), []);
  });
});

Deno.test("F11 polling alone completes a video: the provider knows no webhook address", async () => {
  await withApp({ webhooks: "off", runware: QUICK }, async (app) => {
    const customer = await newCustomer(app);
    const videoId = await queued(app, customer);
    assertEquals(await over(app, [videoId]), ["completed"]);
    const state = app.sandbox?.control.state();
    assertEquals(state?.tasks.map((task) => task.webhookURL), [null]);
    assertEquals(await tracesOf(app, videoId), ONE_OF_EACH);
    assertEquals(await brokenInvariants(app.db), []);
  });
});

Deno.test("F24 webhooks, doubled, and polling together: one completion, one entry of each kind, one notice", async () => {
  const knobs = { renderMs: 50, webhookDoubled: 1 };
  await withApp({ runware: { knobs } }, async (app) => {
    const customer = await newCustomer(app);
    const ids = await Promise.all(Array.from({ length: 5 }, () => queued(app, customer)));
    assertEquals(await over(app, ids), ids.map(() => "completed"));
    for (const id of ids) assertEquals(await tracesOf(app, id), ONE_OF_EACH);
    const counts = app.sandbox?.control.state().counts;
    assertEquals(counts?.tasksAccepted, 5);
    assertEquals(await brokenInvariants(app.db), []);
  });
});

Deno.test("F34 an idle system calls no function, however often cron looks", async () => {
  await withApp({ runware: QUICK }, async (app) => {
    const customer = await newCustomer(app);
    const videoId = await queued(app, customer);
    await over(app, [videoId]);
    const ticks = async () => {
      const [row] = await app.db.query(
        "select count(*)::int as value from cron.job_run_details where command like '%tick%'",
      );
      return Number(row?.["value"]);
    };
    const calls = () => [...app.functions?.requests.values() ?? []].reduce((a, b) => a + b, 0);
    // As if the minute's look at the books, which may fall into this test, had come a minute after the
    // last entry.
    await app.db.query(
      "update app.last_check set recent_at = now() + interval '2 minutes', busy = false",
    );
    // Whatever was rung while the video was under way has arrived after two more ticks.
    const settled = await ticks() + 2;
    await until("the last rings have arrived", async () => await ticks() >= settled || undefined);
    const before = calls();
    const later = await ticks() + 8;
    await until("cron has looked eight times", async () => await ticks() >= later || undefined);
    assertEquals(calls(), before);
  });
});
