import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  cancelVideo,
  followVideo,
  GemreelError,
  type Kept,
  listen,
  startVideo,
  sync,
  videoStatus,
} from "../../docs/mobile/gemreel.ts";
import { newCustomer, until } from "../support/app.ts";
import { byHand, delivered, stored, submitted } from "../support/by_hand.ts";
import { TWINKLE } from "../support/fixtures.ts";

Deno.test("F38 the app of docs/mobile.md: start, progress, background, sync over the finish, watch", async () => {
  await byHand({}, async (app) => {
    const { client, childId } = await newCustomer(app, { gems: 30 });
    const tap = crypto.randomUUID();
    const start = () => startVideo(client, { childId, rhymeId: TWINKLE, tap });
    const videoId = await start();
    assertEquals(await start(), videoId);

    const kept: Kept = { videos: new Map(), rev: null };
    await sync(client, kept);
    assertEquals(kept.videos.get(videoId)?.status, "queued");

    const background = new AbortController();
    const seen: string[] = [];
    await followVideo(client, videoId, {
      signal: background.signal,
      onVideo({ status }) {
        seen.push(status);
        if (status === "queued") void submitted(app, videoId);
        else background.abort();
      },
    });
    assertEquals(seen, ["queued", "processing"]);

    await delivered(app, videoId);
    await stored(app);
    await sync(client, kept);
    assertEquals(kept.videos.get(videoId)?.status, "completed");
    const again = seen.length;
    await followVideo(client, videoId, { onVideo: ({ status }) => seen.push(status) });
    assertEquals(seen.slice(again), ["completed"]);

    const file = await fetch((await videoStatus(client, videoId)).video_url ?? "");
    assertEquals(file.headers.get("content-type"), "video/mp4");
    await file.body?.cancel();
  });
});

Deno.test("F40 the app of docs/mobile.md: cancel gives the gems back, a refusal says why", async () => {
  await byHand({}, async (app) => {
    const { client, childId } = await newCustomer(app, { gems: 10 });
    const start = () => startVideo(client, { childId, rhymeId: TWINKLE, tap: crypto.randomUUID() });
    const videoId = await start();
    const refused = await assertRejects(start, GemreelError);
    assertEquals([refused.status, refused.code], [402, "insufficient_gems"]);
    assertEquals(refused.message, "There are not enough gems for this video");
    assertEquals(await cancelVideo(client, videoId), 10);
    const unknown = followVideo(client, crypto.randomUUID(), { onVideo() {} });
    await assertRejects(() => unknown, GemreelError, "There is no such video");
  });
});

Deno.test("the app of docs/mobile.md hears of its videos while it is open", async () => {
  await byHand({}, async (app) => {
    const { client, id, childId } = await newCustomer(app, { gems: 10 });
    const kept: Kept = { videos: new Map(), rev: null };
    let changes = 0;
    const stop = await listen(client, { userId: id, kept, onChange: () => changes++ });
    await until("the first sync", () => Promise.resolve(changes > 0 || undefined));
    const videoId = await startVideo(client, {
      childId,
      rhymeId: TWINKLE,
      tap: crypto.randomUUID(),
    });
    await submitted(app, videoId);
    await until(
      "it is heard of",
      () => Promise.resolve(kept.videos.get(videoId)?.status === "processing" || undefined),
    );
    assert(changes > 1);
    await stop();
  });
});
