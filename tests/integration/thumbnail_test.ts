import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import { call, type Customer, headersOf, newCustomer, queued } from "../support/app.ts";
import { byHand, delivered, type HandStack, stored } from "../support/by_hand.ts";
import { value, videoOf } from "../support/fixtures.ts";
import { adminClient } from "../support/users.ts";

const PNG = Uint8Array.from(
  atob(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==",
  ),
  (letter) => letter.charCodeAt(0),
);

const answer = z.object({
  videos: z.tuple([
    z.looseObject({
      status: z.string(),
      video_url: z.string().nullable(),
      thumbnail_url: z.string().nullable(),
    }),
  ]),
});

/** A delivered video that starts with a picture of our bucket, named so and with this content. */
async function withAvatar(
  app: HandStack,
  customer: Customer,
  picture: Uint8Array<ArrayBuffer> | null,
): Promise<string> {
  const videoId = await queued(app, customer);
  await delivered(app, videoId);
  const path = `${customer.id}/${customer.childId}.png`;
  if (picture !== null) {
    const avatars = adminClient(app).storage.from("avatars");
    const put = await avatars.upload(path, picture, { contentType: "image/png", upsert: true });
    assertEquals(put.error, null);
  }
  await app.db.query("update public.videos set avatar_path = $2 where id = $1", [videoId, path]);
  return videoId;
}

async function statusOf(app: HandStack, customer: Customer, videoId: string) {
  const headers = headersOf(app, customer);
  const { body } = await call(app, `video-status?video_id=${videoId}`, { method: "GET", headers });
  return answer.parse(body).videos[0];
}

const thumbnailOf = (app: HandStack, videoId: string) =>
  value(app.db, "select thumbnail_path as value from public.videos where id = $1", [videoId]);

Deno.test("the child's picture is kept beside the video, as what it is, and answered with a link that works", async () => {
  await byHand({}, async (app) => {
    const customer = await newCustomer(app);
    const videoId = await withAvatar(app, customer, PNG);
    assertEquals((await statusOf(app, customer, videoId)).thumbnail_url, null);
    await stored(app);
    const path = `${customer.id}/videos/${videoId}.png`;
    assertEquals(await thumbnailOf(app, videoId), path);
    const { status, thumbnail_url, video_url } = await statusOf(app, customer, videoId);
    assertEquals(status, "completed");
    assert(video_url !== null);
    const picture = await fetch(thumbnail_url ?? "");
    assertEquals(picture.headers.get("content-type"), "image/png");
    assertEquals(new Uint8Array(await picture.arrayBuffer()), PNG);

    const own = await customer.client.storage.from("videos").download(path);
    assertEquals(own.error, null);
    const stranger = await newCustomer(app);
    assert((await stranger.client.storage.from("videos").download(path)).error !== null);
  });
});

Deno.test("a picture that is gone, or none at all, takes nothing from the video: completed without a thumbnail", async () => {
  await byHand({}, async (app) => {
    const customer = await newCustomer(app);
    const page = new TextEncoder().encode("<!doctype html><script>alert(1)</script>");
    for (const picture of [null, page]) {
      const videoId = await withAvatar(app, customer, picture);
      await stored(app);
      assertEquals((await videoOf(app.db, videoId)).status, "completed");
      assertEquals(await thumbnailOf(app, videoId), null);
      assertEquals((await statusOf(app, customer, videoId)).thumbnail_url, null);
    }
  });
});

Deno.test("F23 a first frame is fetched from the hosts on the list alone, and one that redirects is not followed", async () => {
  const gets: string[] = [];
  await using inside = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    gets.push(new URL(request.url).pathname);
    return new Response(PNG);
  });
  const at = (port: number, name: string) => `http://127.0.0.1:${port}/${name}.png`;
  await using listed = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) =>
      request.url.endsWith("/away.png")
        ? Response.redirect(at(inside.addr.port, "inside"))
        : new Response(PNG),
  );
  const functionsEnv = { IMAGE_HOSTS: `127.0.0.1:${listed.addr.port}` };
  await byHand({ functionsEnv }, async (app) => {
    const customer = await newCustomer(app);
    const frames: [string, boolean][] = [
      [at(listed.addr.port, "first"), true],
      [at(listed.addr.port, "away"), false],
      [at(inside.addr.port, "first"), false],
      ["http://169.254.169.254/latest/meta-data", false],
    ];
    for (const [frame, isKept] of frames) {
      const videoId = await queued(app, customer);
      await delivered(app, videoId);
      await app.db.query(
        "update public.videos set options = jsonb_build_object('first_frame', $2::text) where id = $1",
        [videoId, frame],
      );
      await stored(app);
      assertEquals((await videoOf(app.db, videoId)).status, "completed", frame);
      assertEquals(await thumbnailOf(app, videoId) !== null, isKept, frame);
    }
    assertEquals(gets, []);
  });
});
