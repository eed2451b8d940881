import { assertEquals, assertRejects } from "@std/assert";
import { PostgrestClient } from "@supabase/postgrest-js";
import type { Database } from "../../shared/db/database.types.ts";
import { finishStoring } from "../../shared/db/store_calls.ts";
import { videoStatus } from "../../shared/doors/video_status.ts";
import { readChanges } from "../../shared/status/read.ts";
import { createVideoWatcher, type VideoWatcher } from "../../shared/status/watcher.ts";
import { type AppStack, BY_HAND, newCustomer, queued, withApp } from "../support/app.ts";
import { until } from "../support/until.ts";
import { accept, deliver } from "../support/fixtures.ts";
import { eventsOf } from "../support/events.ts";
import { quiet } from "../support/sql.ts";

function clientOf(app: AppStack): PostgrestClient<Database> {
  return new PostgrestClient<Database>(`${app.supabaseUrl}/rest/v1`, {
    headers: { apikey: app.secretKey, authorization: `Bearer ${app.secretKey}` },
  });
}

/** Serves the door in this process, for one user, so that its watcher can be looked at. */
async function withDoor(
  app: AppStack,
  userId: string,
  work: (url: string, watcher: VideoWatcher) => Promise<void>,
): Promise<void> {
  const client = clientOf(app);
  const watcher = createVideoWatcher({ read: (known) => readChanges(client, known), log: quiet });
  const visit = { requestId: crypto.randomUUID(), log: quiet, admin: () => client, userId };
  const isolateEnd = new AbortController().signal;
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => videoStatus(request, visit, { watcher, isolateEnd }),
  );
  await work(`http://127.0.0.1:${server.addr.port}/video-status`, watcher);
}

Deno.test("clients that go away are forgotten, streams and long polls alike", async () => {
  await withApp(BY_HAND, async (app) => {
    const customer = await newCustomer(app);
    const videoId = await queued(app, customer);
    await withDoor(app, customer.id, async (url, watcher) => {
      const gone = new AbortController();
      const headers = { accept: "text/event-stream" };
      const seen = (size: number) =>
        until(
          `${size} videos are watched`,
          () => Promise.resolve(watcher.size === size || undefined),
        );
      for await (const _ of eventsOf(await fetch(`${url}?video_id=${videoId}`, { headers }))) {
        await seen(1);
        break;
      }
      await seen(0);

      const poll = fetch(`${url}?video_id=${videoId}&wait=100`, { signal: gone.signal });
      await seen(1);
      gone.abort();
      await assertRejects(() => poll);
      await seen(0);
    });
  });
});

Deno.test("while Storage signs nothing, finished videos are held back and all others are told; then they come with their links", async () => {
  await withApp(BY_HAND, async (app) => {
    const customer = await newCustomer(app);
    const [done, moving] = [await queued(app, customer), await queued(app, customer)];
    const job = await accept(app.db, done);
    await deliver(app.db, job);
    await finishStoring(app.db, job, `${customer.id}/videos/${done}.mp4`);
    await accept(app.db, moving);

    const told = new Map<string, string | null>();
    let away = true;
    let asked = 0;
    const sign = (paths: readonly string[]) => {
      asked += 1;
      if (away) return Promise.reject(new Error("Storage is away"));
      return Promise.resolve(
        new Map(paths.map((path) => [path, `https://signed.example/${path}`])),
      );
    };
    const watcher = createVideoWatcher({
      read: (known) => readChanges(clientOf(app), known, sign),
      log: quiet,
      pauseMs: 10,
      pauseAfterErrorMs: 10,
    });
    const stop = watcher.watch(new Map([[done, 1], [moving, 1]]), (changes) => {
      for (const { id, video } of changes) told.set(id, video?.video_url ?? null);
    });
    await until("Storage is asked again", () => Promise.resolve(asked > 1 || undefined));
    assertEquals([...told], [[moving, null]]);
    away = false;
    await until("the finished one", () => Promise.resolve(told.size === 2 || undefined));
    assertEquals(told.get(done), `https://signed.example/${customer.id}/videos/${done}.mp4`);
    stop();
  });
});
