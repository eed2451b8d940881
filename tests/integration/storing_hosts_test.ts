import { assert, assertEquals } from "@std/assert";
import { createServer } from "node:http";
import { until } from "../support/until.ts";
import { work } from "../support/app.ts";
import { byHand, functionsEnv, stored } from "../support/by_hand.ts";
import { weigh } from "../support/processes.ts";
import { assertGivenUp, deliveredAt, filesOf, statusOf, waiting } from "../support/storing.ts";
import { value } from "../support/fixtures.ts";

const MEGABYTE = 1_000_000;

/** The beginning of an MP4 whose only box beside `ftyp` has so many bytes. */
function mp4Head(inside: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(16 + 16);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 16);
  bytes.set(new TextEncoder().encode("ftypisom"), 4);
  view.setUint32(16, 16 + inside);
  bytes.set(new TextEncoder().encode("mdat"), 20);
  return bytes;
}

/** An MP4 of this size, made as it is read. */
function bigFile(size: number): ReadableStream<Uint8Array> {
  const head = mp4Head(size - 32);
  const zeros = new Uint8Array(MEGABYTE);
  let left = size - head.byteLength;
  return new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(head),
    pull(controller) {
      if (left === 0) return controller.close();
      const chunk = zeros.subarray(0, Math.min(left, zeros.byteLength));
      left -= chunk.byteLength;
      controller.enqueue(chunk);
    },
  }, { highWaterMark: 1 });
}

Deno.test("F22 a file of 300 MB is stored with flat memory", async () => {
  const size = 300 * MEGABYTE;
  await using cdn = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response(bigFile(size), { headers: { "content-length": String(size) } }),
  );
  const host = `127.0.0.1:${cdn.addr.port}`;
  // In memory where the system has such a folder: a slow disk is not what is weighed here.
  const memory = await Deno.stat("/dev/shm").then(() => "/dev/shm", () => undefined);
  const dataDir = await Deno.makeTempDir({ prefix: "gemreel-", ...(memory && { dir: memory }) });
  await byHand({ dataDir, functionsEnv: { RUNWARE_MEDIA_HOSTS: host } }, async (app) => {
    // The function is loaded and has stored a small file before it is weighed.
    await waiting(app);
    await stored(app);
    const { videoId } = await waiting(app);
    await deliveredAt(app, videoId, `http://${host}/x.mp4`);
    const weight = await weigh("local/functions_host.ts");
    // On a busy machine a copy may run out of its time; then the next one is to do it.
    await until("it is stored", async () => {
      await stored(app);
      return await statusOf(app, videoId) === "completed" || undefined;
    }, { minutes: 6 });
    const peak = await weight.peak();
    const kept = await value(
      app.db,
      "select (metadata ->> 'size')::int as value from storage.objects where name like '%/' || $1 || '.mp4'",
      [videoId],
    );
    assertEquals(kept, size);
    const megabytes = (bytes: number) => Math.round(bytes / MEGABYTE);
    console.log(
      `functions process: ${megabytes(weight.idle)} MB before, ${
        megabytes(peak)
      } MB at most while storing ${megabytes(size)} MB`,
    );
    assert(peak - weight.idle < 100 * MEGABYTE, `${megabytes(peak - weight.idle)} MB more`);
  });
  await Deno.remove(dataDir, { recursive: true });
});

Deno.test("F23 a redirect to a host that is not allowed is not followed; once it is allowed, the file is copied", async () => {
  let gets = 0;
  await using inside = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    gets++;
    return new Response(bigFile(1_000));
  });
  await using cdn = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => Response.redirect(`http://127.0.0.1:${inside.addr.port}/x.mp4`),
  );
  const host = `127.0.0.1:${cdn.addr.port}`;
  await byHand({ functionsEnv: { RUNWARE_MEDIA_HOSTS: host } }, async (app) => {
    const { videoId } = await waiting(app);
    await deliveredAt(app, videoId, `http://${host}/x.mp4`);
    for (let i = 0; i < 7; i++) await stored(app);
    assertEquals([await statusOf(app, videoId), gets], ["rendering", 0]);

    const hosts = `${host},127.0.0.1:${inside.addr.port}`;
    await app.functions.restart({ ...await functionsEnv(app), RUNWARE_MEDIA_HOSTS: hosts });
    await work(app, "maintain");
    await stored(app);
    assertEquals([await statusOf(app, videoId), gets], ["completed", 1]);
  });
});

Deno.test("F22 a Content-Length that lies: too small is tried again and given up, too large is never begun", async () => {
  let claimed = 0;
  const server = createServer((_request, response) => {
    const file = new Uint8Array(2_000);
    file.set(mp4Head(2_000 - 32));
    response.writeHead(200, { "content-length": claimed });
    response.strictContentLength = false;
    response.write(file.subarray(0, Math.min(claimed, file.byteLength)));
    response.end(() => response.socket?.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const host = `127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  await byHand({ functionsEnv: { RUNWARE_MEDIA_HOSTS: host } }, async (app) => {
    claimed = 1_000;
    const small = await waiting(app);
    await deliveredAt(app, small.videoId, `http://${host}/x.mp4`);
    await stored(app);
    assertEquals(await statusOf(app, small.videoId), "rendering", "once is no end");
    assertEquals(await filesOf(app, small.customer), [], "nothing of a cut file is kept");
    claimed = 2_000;
    await stored(app);
    assertEquals(await statusOf(app, small.videoId), "completed");
    assertEquals((await filesOf(app, small.customer)).map((file) => file.byteLength), [2_000]);

    claimed = 600 * MEGABYTE;
    const large = await waiting(app);
    await deliveredAt(app, large.videoId, `http://${host}/x.mp4`);
    await stored(app);
    await assertGivenUp(app, large.customer, large.videoId, "too_large");
  });
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
