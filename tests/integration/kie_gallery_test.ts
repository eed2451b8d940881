/** Videos made at KIE in the background, and the gallery they are in: leave, submit more, come back. */
import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import { call, headersOf, newCustomer, work } from "../support/app.ts";
import { polled, stored } from "../support/by_hand.ts";
import { balanceOf, newestJob, value } from "../support/fixtures.ts";
import { type KieScene, kieTaskOf, withKieScene } from "../support/kie_scene.ts";

const videoSchema = z.looseObject({
  video_id: z.uuid(),
  status: z.string(),
  progress: z.number(),
  provider: z.string(),
});

/** Asks KIE for a video. Answers our id. */
async function ask({ app, customer }: KieScene, body: object): Promise<string> {
  const answer = await call(app, "queue-video", {
    headers: headersOf(app, customer),
    body: JSON.stringify({ provider: "kie", ...body }),
  });
  assertEquals(answer.status, 201, JSON.stringify(answer.body));
  return z.object({ video_id: z.uuid() }).parse(answer.body).video_id;
}

async function gallery({ customer }: KieScene, filter: object = {}) {
  const { data, error } = await customer.client.rpc("list_videos", filter);
  if (error) throw new Error(error.message);
  return z.array(videoSchema).parse(data);
}

/** How everything in flight stands, asked for in one call. */
async function status({ app, customer }: KieScene, ids: readonly string[]) {
  const query = ids.map((id) => `video_id=${id}`).join("&");
  const headers = headersOf(app, customer);
  const { body } = await call(app, `video-status?${query}`, { method: "GET", headers });
  return z.object({
    videos: z.array(z.object({ status: z.string(), video_url: z.string().nullable() })),
  }).parse(body).videos;
}

Deno.test("kie: several are submitted and left; whoever comes back finds them in the gallery, plays one, deletes one", () =>
  withKieScene({}, async (scene) => {
    const { app, kie } = scene;
    const rich = { ...scene, customer: await newCustomer(app, { gems: 100 }) };
    const words = await ask(rich, { kind: "prompt", prompt: "A kite over the sea" });
    const picture = await ask(rich, {
      ...{ kind: "image", prompt: "The bear waves" },
      first_frame: "https://images.example.com/bear.png",
    });
    const veo = await ask(rich, {
      ...{ kind: "prompt", prompt: "A snail", model: "veo3_fast" },
      ...{ resolution: "1080p", duration: 8 },
    });

    // At once, and newest first.
    const fresh = await gallery(rich);
    assertEquals(fresh.map((video) => video.video_id), [veo, picture, words]);
    for (const video of fresh) {
      assertEquals([video.status, video.progress, video.provider], ["queued", 0, "kie"]);
    }
    await work(app, "submit-videos");
    const tasks = await Promise.all([words, picture, veo].map((id) => kieTaskOf(rich, id)));
    assertEquals(new Set(tasks).size, 3);
    await polled(app);
    assertEquals((await status(rich, [words, picture, veo])).map((video) => video.status), [
      ...["processing", "processing", "processing"],
    ]);

    const [wordsTask = "", pictureTask = ""] = tasks;
    kie.control.finish(wordsTask);
    kie.control.fail(pictureTask, "422", "The image was flagged by moderation");
    await polled(app);
    await stored(app);
    const states = (await gallery(rich)).map((video) => video.status);
    assertEquals(states, ["processing", "failed", "completed"]);
    const [done] = await status(rich, [words]);
    const file = await fetch(done?.video_url ?? "");
    assertEquals([file.status, file.headers.get("content-type")], [200, "video/mp4"]);
    await file.body?.cancel();
    const found = await gallery(rich, { p_search: "kite", p_provider: "kie" });
    assertEquals(found.map((video) => video.video_id), [words]);

    const { error } = await rich.customer.client.rpc("delete_videos", { p_video_ids: [words] });
    assertEquals(error, null);
    assertEquals((await gallery(rich)).map((video) => video.video_id), [veo, picture]);
    const charged = await value(
      app.db,
      `select -sum(amount)::int as value from public.gem_entries
       where video_id = any ($1) and kind in ('charge', 'refund')`,
      [[words, picture, veo]],
    );
    const { id, childId } = rich.customer;
    assertEquals(await balanceOf(app.db, { userId: id, childId }), 100 - Number(charged));
    const { id: failed } = await newestJob(app.db, picture);
    const cost = "select cost_usd is not null as value from public.video_jobs where id = $1";
    assert(await value(app.db, cost, [failed]), "what KIE consumed for it is kept");
  }));
