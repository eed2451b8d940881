import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import { clipsAnswer } from "../../shared/doors/project_clips.ts";
import {
  type Answer,
  type AppStack,
  call,
  headersOf,
  newCustomer,
  withApp,
  work,
} from "../support/app.ts";
import { until } from "../support/until.ts";
import { byHand, type HandStack, polled, rowCounts, stored } from "../support/by_hand.ts";
import { balanceOf, newestJob, value } from "../support/fixtures.ts";
import { fieldsOf } from "../support/refusals.ts";

type Customer = Awaited<ReturnType<typeof newCustomer>>;

const picture = (name: string) => `https://images.example.com/${name}.png`;
const scene = (name: string, more: object = {}) => ({
  first_frame: picture(`${name}-first`),
  last_frame: picture(`${name}-last`),
  ...more,
});
const MAKER = { provider: "runware", model: "bytedance:2@1" };

function scenes(count: number): Record<string, object> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, at) => [String(at + 1), scene(String(at + 1))]),
  );
}

/** Makes a project as an app does: through PostgREST. */
async function newProject({ client, id }: Customer, frames: unknown): Promise<string> {
  const { data, error } = await client.from("projects")
    .insert({ user_id: id, title: "The fox", frames }).select("id").single();
  if (error) throw new Error(error.message);
  return z.object({ id: z.uuid() }).parse(data).id;
}

function ask(app: AppStack, who: Customer, name: string, body: object): Promise<Answer> {
  return call(app, name, { headers: headersOf(app, who), body: JSON.stringify(body) });
}

const generate = (app: AppStack, who: Customer, project_id: string, more: object = {}) =>
  ask(app, who, "generate-clips", { project_id, ...MAKER, ...more });
const check = (app: AppStack, who: Customer, project_id: string) =>
  ask(app, who, "check-clips-status", { project_id });

/** The answer, which has nothing but what is documented. */
function clipsOf({ status, body }: Answer) {
  assertEquals(status, 200, JSON.stringify(body));
  return z.strictObject(clipsAnswer.shape).parse(body);
}

const balance = (app: AppStack, { id, childId }: Customer) =>
  balanceOf(app.db, { userId: id, childId });

/** Waits until so many clips are queued. */
function queuedClips(app: AppStack, count: number) {
  const counted = "select count(*)::int as value from public.videos";
  return until(
    `${count} clips are queued`,
    async () => await value(app.db, counted) === count || undefined,
  );
}

/** Ends what the sandbox has been given: the scenes named fail, the others are made and stored. */
async function rendered(app: HandStack, answer: Answer, failing: readonly string[] = []) {
  await work(app, "submit-videos");
  for (const { scene, video_id } of clipsOf(answer).results) {
    if (video_id === null) continue;
    const { id, status } = await newestJob(app.db, video_id);
    if (status !== "processing") continue;
    if (failing.includes(scene)) app.sandbox.control.fail(id, "invalidPositivePrompt");
    else app.sandbox.control.finish(id);
  }
  await polled(app);
  await stored(app);
}

Deno.test("a project of 12 scenes with 2 failing: 10 urls, 2 failed, exact refunds, the same numbers from both functions", async () => {
  await byHand({}, async (app) => {
    const customer = await newCustomer(app, { gems: 200 });
    const project = await newProject(customer, scenes(12));
    const waiting = generate(app, customer, project);
    await queuedClips(app, 12);
    const started = await check(app, customer, project);
    const { clips, results, ...counts } = clipsOf(started);
    assertEquals(counts, {
      ...{ success: true, project_id: project, total_clips: 12 },
      ...{ completed: 0, pending: 12, failed: 0, all_complete: false },
    });
    assertEquals(Object.values(clips), Array(12).fill("pending"));
    assertEquals(results.map((one) => one.scene), Object.keys(scenes(12)));
    const price = (200 - await balance(app, customer)) / 12;
    assert(price > 0 && Number.isInteger(price));

    await rendered(app, started, ["3", "8"]);
    const generated = clipsOf(await waiting);
    const checked = clipsOf(await check(app, customer, project));
    assertEquals(withoutLinks(generated), withoutLinks(checked));
    const { completed, pending, failed, all_complete } = checked;
    assertEquals([completed, pending, failed, all_complete], [10, 0, 2, true]);
    const refunds =
      "select sum(amount)::int as value from public.gem_entries where kind = 'refund'";
    assertEquals(await value(app.db, refunds), 2 * price);
    assertEquals(await balance(app, customer), 200 - 10 * price);
    const told = Object.values(checked.clips);
    assertEquals(told.filter((entry) => entry === "failed").length, 2);
    for (const url of told.filter((entry) => entry !== "failed")) {
      const file = await fetch(url);
      assertEquals([file.status, file.headers.get("content-type")], [200, "video/mp4"]);
      await file.body?.cancel();
    }
    const broken = checked.results.filter((one) => one.status === "failed");
    assertEquals(broken.map((one) => [one.scene, one.url]), [["3", undefined], ["8", undefined]]);
    assert(broken.every(({ error }) => (error ?? "").length > 0));

    // Asked for again, the two are made again, and nothing else.
    const again = clipsOf(await generate(app, customer, project, { wait: 0 }));
    assertEquals([again.completed, again.pending, again.failed], [10, 2, 0]);
    assertEquals(await balance(app, customer), 200 - 12 * price);
    await rendered(app, await check(app, customer, project));
    const last = clipsOf(await check(app, customer, project));
    assertEquals([last.completed, last.all_complete], [12, true]);
    const kept = await customer.client.from("projects").select("clips").single();
    const paths = z.object({ clips: z.record(z.string(), z.string()) }).parse(kept.data).clips;
    assertEquals(Object.keys(paths).sort(), Object.keys(last.clips).sort());
    for (const [id, path] of Object.entries(paths)) {
      assertEquals(path, `${customer.id}/videos/${id}.mp4`);
    }
    const kinds = await app.db.query(
      `select distinct kind, options ->> 'aspect_ratio' as shape from public.videos`,
    );
    assertEquals(kinds, [{ kind: "clip", shape: "9:16" }]);
  });
});

/** Links are signed anew with each answer. */
function withoutLinks({ clips, results, ...counts }: z.infer<typeof clipsAnswer>) {
  return {
    ...counts,
    clips: Object.keys(clips),
    results: results.map(({ url: _, ...one }) => one),
  };
}

Deno.test("nothing but a project's id: the clips are chosen, made and stored while the call waits", async () => {
  await withApp({
    runware: { knobs: { renderMs: 500 } },
    runway: { knobs: { renderMs: 500, pendingMs: 0 } },
    kie: { knobs: { renderMs: 500, queueMs: 0, hiddenMs: 0 } },
    settings: { poll_steps: [1] },
  }, async (app) => {
    const customer = await newCustomer(app, { gems: 200 });
    const project_id = await newProject(customer, scenes(3));
    const { results, clips, ...counts } = clipsOf(
      await ask(app, customer, "generate-clips", { project_id }),
    );
    assertEquals(counts, {
      ...{ success: true, project_id, total_clips: 3 },
      ...{ completed: 3, pending: 0, failed: 0, all_complete: true },
    });
    assertEquals(results.map((one) => [one.scene, one.status]), [
      ...[["1", "completed"], ["2", "completed"], ["3", "completed"]],
    ]);
    for (const { video_id, url = "" } of results) {
      assertEquals(clips[video_id ?? ""], url);
      const file = await fetch(url);
      assertEquals([file.status, file.headers.get("content-type")], [200, "video/mp4"]);
      await file.body?.cancel();
    }
  });
});

Deno.test("clips that are fast come back in the same call; a wait that runs out tells which are pending", async () => {
  await byHand({}, async (app) => {
    const customer = await newCustomer(app, { gems: 100 });
    const project = await newProject(customer, scenes(2));
    const waiting = generate(app, customer, project);
    await until(
      "both are queued",
      async () =>
        await value(app.db, "select count(*)::int as value from public.videos") === 2 || undefined,
    );
    await rendered(app, await check(app, customer, project));
    const { completed, all_complete, clips } = clipsOf(await waiting);
    assertEquals([completed, all_complete], [2, true]);
    assert(Object.values(clips).every((entry) => entry.startsWith("http")));

    const { error } = await customer.client.rpc("update_project", {
      p_project_id: project,
      p_frames: scenes(3),
    });
    assertEquals(error, null);
    const missing = clipsOf(await check(app, customer, project));
    assertEquals([missing.total_clips, missing.completed, missing.pending], [3, 2, 0]);
    assertEquals([missing.all_complete, missing.results[2]], [
      false,
      { scene: "3", video_id: null, status: "missing" },
    ]);
    const late = clipsOf(await generate(app, customer, project, { wait: 1 }));
    assertEquals([late.completed, late.pending, late.all_complete], [2, 1, false]);
    assertEquals(Object.values(late.clips).filter((entry) => entry === "pending").length, 1);
  });
});

Deno.test("a scene's own words and length are what is made", async () => {
  await byHand({}, async (app) => {
    const customer = await newCustomer(app);
    const frames = { "2": scene("b"), "10": scene("a", { duration: 10, prompt: "A fox jumps" }) };
    const project = await newProject(customer, frames);
    const { results } = clipsOf(await generate(app, customer, project, { wait: 0 }));
    assertEquals(results.map((one) => one.scene), ["2", "10"]);
    const rows = await app.db.query(
      `select scene, title, prompt, (options ->> 'duration')::int as duration,
         options ->> 'last_frame' as last_frame
       from public.videos order by scene`,
    );
    const [own, usual] = rows;
    assertEquals(own, {
      ...{ scene: "10", title: "The fox, scene 10", prompt: "A fox jumps", duration: 10 },
      last_frame: picture("a-last"),
    });
    assertEquals([usual?.["duration"], usual?.["title"]], [5, "The fox, scene 2"]);
    assert(String(usual?.["prompt"]).includes("from the first picture"));
  });
});

Deno.test("what cannot be made is refused by field, before anything is charged", async () => {
  await byHand({}, async (app) => {
    const customer = await newCustomer(app, { gems: 5 });
    const { first_frame } = scene("a");
    const frames: [unknown, number, string[]][] = [
      [{}, 422, ["frames"]],
      [{ "1": scene("a"), "3": { first_frame } }, 422, ["frames.3.last_frame"]],
      [{ "1": scene("a", { first_frame: "http://127.0.0.1/1.png" }) }, 422, [
        "frames.1.first_frame",
      ]],
      [{ "2": scene("a", { last_frame: "https://evil.example/1.png" }) }, 422, [
        "frames.2.last_frame",
      ]],
      [{ "2": scene("a", { duration: 30 }) }, 422, ["frames.2.duration"]],
      [{ "2": scene("a", { gem_cost: 0 }) }, 422, ["frames.2.gem_cost"]],
      [{ first: scene("a") }, 422, ["frames.first"]],
      [{ "7": scene("a", { prompt: "A bloody fight" }) }, 422, ["frames.7.prompt"]],
      [scenes(101), 422, ["frames"]],
    ];
    for (const [given, status, fields] of frames) {
      const project = await newProject(customer, given);
      const refused = await generate(app, customer, project, { wait: 0 });
      assertEquals([refused.status, fieldsOf(refused.body["details"])], [status, fields]);
    }
    const before = await rowCounts(app);
    const project = await newProject(customer, scenes(3));
    const { projects: _, ...others } = { ...before };
    for (
      const [body, status, fields] of [
        [{ model: "nobody:1@1" }, 422, ["model"]],
        [{ provider: "nobody" }, 422, ["provider"]],
        [{ wait: 121 }, 400, ["wait"]],
        [{ frames: {} }, 400, ["frames"]],
        [{ project_id: "x" }, 400, ["project_id"]],
      ] as const
    ) {
      const refused = await generate(app, customer, project, body);
      assertEquals([refused.status, fieldsOf(refused.body["details"])], [status, [...fields]]);
    }
    const poor = await generate(app, customer, project, { wait: 0 });
    assertEquals([poor.status, poor.body["code"]], [402, "insufficient_gems"]);
    const many = await newProject(await newCustomer(app, { gems: 0 }), scenes(3));
    assertEquals((await generate(app, customer, many)).status, 404);
    const rich = await newCustomer(app, { gems: 1_000 });
    for (const limit of [100, 30]) {
      await app.db.query("update app.settings set project_limit = $1", [limit]);
      const long = await newProject(rich, scenes(limit + 1));
      const never = await generate(app, rich, long, { wait: 0 });
      assertEquals([never.status, never.headers.get("retry-after")], [422, null]);
      assertEquals(fieldsOf(never.body["details"]), ["frames"]);
    }
    assertEquals(others["videos"], (await rowCounts(app))["videos"]);
    assertEquals(await balance(app, customer), 5);
  });
});

Deno.test("F20 a project of somebody else is none: 404 from both functions", async () => {
  await byHand({}, async (app) => {
    const owner = await newCustomer(app);
    const stranger = await newCustomer(app);
    const project = await newProject(owner, scenes(1));
    for (
      const answer of [
        await generate(app, stranger, project, { wait: 0 }),
        await check(app, stranger, project),
        await check(app, stranger, crypto.randomUUID()),
      ]
    ) {
      const { status, body } = answer;
      assertEquals([status, body["code"], fieldsOf(body["details"])], [404, "not_found", [
        "project_id",
      ]]);
    }
    assertEquals(await balance(app, stranger), 100);
  });
});
