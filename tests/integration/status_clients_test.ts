import { assertRejects } from "@std/assert";
import { PostgrestClient } from "@supabase/postgrest-js";
import type { Database } from "../../shared/db/database.types.ts";
import { videoStatus } from "../../shared/doors/video_status.ts";
import { readChanges } from "../../shared/status/read.ts";
import { createVideoWatcher, type VideoWatcher } from "../../shared/status/watcher.ts";
import { type AppStack, BY_HAND, newCustomer, queued, until, withApp } from "../support/app.ts";
import { eventsOf } from "../support/events.ts";
import { quiet } from "../support/sql.ts";

/** Serves the door in this process, for one user, so that its watcher can be looked at. */
async function withDoor(
  app: AppStack,
  userId: string,
  work: (url: string, watcher: VideoWatcher) => Promise<void>,
): Promise<void> {
  const client = new PostgrestClient<Database>(`${app.supabaseUrl}/rest/v1`, {
    headers: { apikey: app.secretKey, authorization: `Bearer ${app.secretKey}` },
  });
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
