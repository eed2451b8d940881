import { assert, assertEquals, assertRejects } from "@std/assert";
import { createClient } from "@supabase/supabase-js";
import {
  cancelVideo,
  followVideo,
  GemreelError,
  listen,
  nothing,
  startVideo,
  sync,
  videoStatus,
} from "../../docs/mobile/gemreel.ts";
import { type AppStack, newCustomer } from "../support/app.ts";
import { until } from "../support/until.ts";
import { byHand, delivered, stored, submitted } from "../support/by_hand.ts";
import { TWINKLE } from "../support/fixtures.ts";
import type { TestUser } from "../support/users.ts";

Deno.test("F38 the app of docs/mobile.md: start, progress, background, sync over the finish, watch", async () => {
  await byHand({}, async (app) => {
    const { client, childId } = await newCustomer(app, { gems: 30 });
    const tap = crypto.randomUUID();
    const start = () => startVideo(client, { childId, rhymeId: TWINKLE, tap });
    const videoId = await start();
    assertEquals(await start(), videoId);

    const kept = nothing();
    await sync(client, kept);
    assertEquals(kept.videos.get(videoId)?.status, "queued");

    const background = new AbortController();
    const seen: string[] = [];
    const handedOver: Promise<string>[] = [];
    await followVideo(client, videoId, {
      signal: background.signal,
      onVideo({ status }) {
        seen.push(status);
        if (status === "queued") handedOver.push(submitted(app, videoId));
        else background.abort();
      },
    });
    assertEquals(seen, ["queued", "processing"]);
    // The submitter goes on for a while after the app has seen what it did.
    await Promise.all(handedOver);

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
    const kept = nothing();
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

Deno.test("F38 what the app of docs/mobile.md hears while its first sync is under way is not lost with the answer", async () => {
  await byHand({}, async (app) => {
    const customer = await newCustomer(app, { gems: 10 });
    const { client, held, release } = withHeldSync(app, customer);
    const videoId = await startVideo(client, {
      childId: customer.childId,
      rhymeId: TWINKLE,
      tap: crypto.randomUUID(),
    });
    const kept = nothing();
    const seen: (string | undefined)[] = [];
    const stop = await listen(client, {
      userId: customer.id,
      kept,
      onChange: () => seen.push(kept.videos.get(videoId)?.status),
    });
    await held;
    await cancelVideo(client, videoId);
    await until("the end is told", () => Promise.resolve(seen.includes("cancelled") || undefined));
    release();
    await until("the answer is taken in", () => Promise.resolve(kept.rev ?? undefined));
    assertEquals(kept.videos.get(videoId)?.status, "cancelled");
    assertEquals(new Set(seen), new Set(["cancelled"]));
    await stop();
  });
});

/** A client whose answers of videos_since are held back once they are made. */
function withHeldSync(app: AppStack, { token }: TestUser) {
  const [held, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const client = createClient(app.supabaseUrl, app.publishableKey, {
    accessToken: () => Promise.resolve(token),
    global: {
      async fetch(input, init) {
        const response = await fetch(input, init);
        if (!response.url.includes("videos_since")) return response;
        const answer = new Response(await response.text(), response);
        held.resolve();
        await released.promise;
        return answer;
      },
    },
  });
  return { client, held: held.promise, release: released.resolve };
}
