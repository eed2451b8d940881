import { assertEquals } from "@std/assert";
import { createServer } from "node:http";
import { storeThumbnail } from "../../shared/stages/thumbnail.ts";
import { openMedia } from "../../shared/storage/media_fetch.ts";
import { THUMBNAILS } from "../../shared/storage/media_types.ts";
import { createObjectStore } from "../../shared/storage/object_store.ts";
import { quiet } from "../support/sql.ts";

const JPEG = Uint8Array.from([0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46, 0, 1]);

Deno.test("where Storage has the thumbnail already, the picture's download stops at once", async () => {
  const closed = Promise.withResolvers<void>();
  const site = createServer((_request, response) => {
    response.on("close", closed.resolve);
    // A picture that never ends.
    response.write(JPEG);
  });
  await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
  const address = site.address();
  const host = `127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  await using storage = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => Response.json({ statusCode: "409", error: "Duplicate" }, { status: 400 }),
  );
  const signals: AbortSignal[] = [];
  const path = await storeThumbnail({
    video_job_id: crypto.randomUUID(),
    started: true,
    video_id: crypto.randomUUID(),
    user_id: crypto.randomUUID(),
    provider: "runware",
    provider_task_id: "task",
    result_url: "https://vm.runware.ai/x.mp4",
    storage_path: "user/videos/video.mp4",
    first_frame_url: `http://${host}/x.jpg`,
    avatar_path: null,
    seconds_waiting: 1,
  }, {
    open: (_frame, signal) => {
      signals.push(signal);
      return openMedia(`http://${host}/x.jpg`, { hosts: [host], wanted: THUMBNAILS, signal });
    },
    store: createObjectStore({
      url: `http://127.0.0.1:${storage.addr.port}`,
      secretKey: "sb_secret_test",
    }),
    log: quiet,
    hosts: [],
  });
  assertEquals(path, "user/videos/video.jpg");
  assertEquals(signals.map(({ aborted }) => aborted), [true]);
  await closed.promise;
  await new Promise((resolve) => site.close(resolve));
});
