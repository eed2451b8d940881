import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { type Answer, call, headersOf, newCustomer, queue, queued } from "../support/app.ts";
import { byHand, delivered, type HandStack, stored } from "../support/by_hand.ts";
import { eventsOf } from "../support/events.ts";
import { TWINKLE } from "../support/fixtures.ts";
import { type Judge, readOpenapi } from "../support/openapi.ts";

const FUNCTIONS = fileURLToPath(new URL("../../supabase/functions", import.meta.url));

const SCENE = {
  first_frame: "https://images.example.com/1.png",
  last_frame: "https://images.example.com/2.png",
};

/** Holds answers of live functions to the document. */
function judging(app: HandStack, judge: Judge) {
  const held = (path: string, answer: Answer, status: number): Answer => {
    const name = path.split("?")[0] ?? "";
    assertEquals(answer.status, status, `${path}: ${JSON.stringify(answer.body)}`);
    assertEquals(judge.misfit(name, answer), null, `${path}: ${JSON.stringify(answer.body)}`);
    return answer;
  };
  return {
    held,
    get: async (path: string, headers: Record<string, string>, status: number) =>
      held(path, await call(app, path, { method: "GET", headers }), status),
    post: async (path: string, headers: Record<string, string>, body: unknown, status: number) =>
      held(
        path,
        await call(app, path, {
          headers: { ...headers, "content-type": "application/json" },
          body: JSON.stringify(body),
        }),
        status,
      ),
  };
}

Deno.test("docs/openapi.json tells every function that takes a user's token", async () => {
  const forApps = [];
  for await (const { name, isDirectory } of Deno.readDir(FUNCTIONS)) {
    if (!isDirectory) continue;
    const entry = await Deno.readTextFile(`${FUNCTIONS}/${name}/index.ts`);
    if (entry.includes("userDoor(")) forApps.push(name);
  }
  assertEquals([...(await readOpenapi()).paths].sort(), forApps.sort());
});

Deno.test("the live functions answer what docs/openapi.json says, refusals included", async () => {
  const judge = await readOpenapi();
  const functionsEnv = { IMAGE_HOSTS: "images.example.com" };
  await byHand({ functionsEnv }, async (app) => {
    const { held, get, post } = judging(app, judge);
    const customer = await newCustomer(app, { gems: 1_000 });
    const poor = await newCustomer(app, { gems: 0 });
    const headers = headersOf(app, customer);
    const rhyme = { child_id: customer.childId, rhyme_id: TWINKLE };

    held("queue-video", await queue(app, customer, { quote: true }), 200);
    held("queue-video", await queue(app, customer, { key: "tap" }), 201);
    held("queue-video", await queue(app, customer, { key: "tap" }), 201);
    held("queue-video", await queue(app, customer, { key: "tap", seed: 7 }), 409);
    held("queue-video", await queue(app, poor), 402);
    held("queue-video", await queue(app, customer, { user_id: poor.id }), 403);
    held("queue-video", await queue(app, customer, { rhyme_id: crypto.randomUUID() }), 404);
    held("queue-video", await queue(app, customer, { model: "none:1@1" }), 422);
    await post("queue-video", headers, { ...rhyme, surprise: "x".repeat(70_000) }, 413);
    await post("queue-video", { apikey: app.publishableKey }, rhyme, 401);
    await get("queue-video", headers, 405);

    const [whole, toCancel] = [await queued(app, customer), await queued(app, customer)];
    await get(`video-status?video_id=${whole}&video_id=${toCancel}`, headers, 200);
    await post("cancel-video", headers, { video_id: toCancel }, 200);
    await delivered(app, whole);
    await get(`video-status?video_id=${whole}`, headers, 200);
    await stored(app);
    await get(`video-status?video_id=${whole}&wait=5`, headers, 200);
    await post("cancel-video", headers, { video_id: whole }, 409);
    await post("cancel-video", headers, { video_id: crypto.randomUUID() }, 404);
    await get(`video-status?video_id=${crypto.randomUUID()}`, headers, 404);
    await get("video-status", headers, 200);
    await get("video-status?rev=1", headers, 400);
    await get(`video-status?video_id=${whole}`, { apikey: app.publishableKey }, 401);

    const stream = await fetch(
      `${app.supabaseUrl}/functions/v1/video-status?video_id=${whole}&video_id=${toCancel}`,
      { headers: { ...headers, accept: "text/event-stream" } },
    );
    const names = [];
    for await (const { event, data } of eventsOf(stream)) {
      names.push(event);
      if (event === "video") assertEquals(judge.component("Video", data), null);
    }
    assertEquals(names, ["video", "video", "end"]);

    const { data: project, error } = await customer.client.from("projects")
      .insert({ user_id: customer.id, title: "Trip", frames: { 1: SCENE, 2: SCENE } })
      .select("id").single();
    assertEquals(error, null);
    const project_id = project?.id;
    await post("check-clips-status", headers, { project_id }, 200);
    await post("generate-clips", headers, { project_id, wait: 0 }, 200);
    await post("check-clips-status", headers, { project_id }, 200);
    await post("generate-clips", headers, { project_id, wait: 999 }, 400);
    await post("generate-clips", headers, { project_id, wait: 0, model: "none:1@1" }, 422);
    await post("check-clips-status", headers, { project_id: crypto.randomUUID() }, 404);

    const runway = await post("generate-video", headers, { prompt: "A smiling sun" }, 201);
    const { id: taskId } = z.object({ videoTask: z.object({ id: z.uuid() }) }).parse(runway.body)
      .videoTask;
    await get(`generate-video?taskId=${taskId}`, headers, 200);
    await get(`generate-video?taskId=${crypto.randomUUID()}`, headers, 404);
    await post("generate-video", headers, { prompt: "A sun", config: { codec: "h265" } }, 422);
    await post("wait-video", headers, { taskId, initialDelay: 0, maxAttempts: 1 }, 200);
    await post("wait-video", headers, { taskId: "x" }, 400);

    await post("delete-account", headers, { confirm: "yes" }, 400);
    await post("delete-account", headers, { confirm: "delete my account" }, 202);
  });
});

Deno.test("a body is refused with 400 exactly when docs/openapi.json does not allow it", async () => {
  const judge = await readOpenapi();
  await byHand({}, async (app) => {
    const customer = await newCustomer(app, { gems: 0 });
    const headers = { ...headersOf(app, customer), "content-type": "application/json" };
    const rhyme = { child_id: customer.childId, rhyme_id: TWINKLE };
    const bodies: Record<string, unknown[]> = {
      "queue-video": [
        rhyme,
        { ...rhyme, kind: "rhyme", seed: 1, quote: true },
        {},
        null,
        [],
        { ...rhyme, child_id: "mia" },
        { ...rhyme, rhyme_id: 7 },
        { ...rhyme, surprise: 1 },
        { ...rhyme, gem_cost: 0 },
        { ...rhyme, kind: "poem" },
        { ...rhyme, kind: "prompt" },
        { ...rhyme, duration: 0 },
        { ...rhyme, duration: "8" },
        { ...rhyme, width: 1.5, height: 8 },
        { ...rhyme, seed: -1 },
        { ...rhyme, quote: "yes" },
        { kind: "prompt", prompt: "A" },
        { kind: "prompt" },
        { kind: "image", prompt: "A smiling sun" },
      ],
      "cancel-video": [{ video_id: crypto.randomUUID() }, {}, { video_id: "x" }, {
        video_id: crypto.randomUUID(),
        user_id: customer.id,
      }],
      "delete-account": [{}, { confirm: true }, { confirm: "Delete my account" }],
    };
    for (const [path, all] of Object.entries(bodies)) {
      for (const body of all) {
        const answer = await call(app, path, { headers, body: JSON.stringify(body) });
        const said = `${path} ${JSON.stringify(body)} -> ${JSON.stringify(answer.body)}`;
        assertEquals(answer.status !== 400, judge.takes(path, body), said);
        assertEquals(judge.misfit(path, answer), null, said);
        assert(answer.status < 500, said);
      }
    }
  });
});
