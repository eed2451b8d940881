import { assert, assertEquals, assertRejects } from "@std/assert";
import { nearestSample } from "../../local/sandbox/mp4.ts";
import { lengthOf, readRange, type Segment } from "../../local/sandbox/segments.ts";
import { type SandboxClient, withSandbox } from "../support/runware_sandbox.ts";

const MANUAL = { knobs: { manual: true } } as const;

/** Submits a video, finishes it and returns where its file is. */
async function finishedUrl(client: SandboxClient, changes = {}): Promise<string> {
  const { taskUUID } = await client.submit(changes);
  return client.sandbox.control.finish(taskUUID).videoURLs[0] ?? "";
}

/** The types of the top-level boxes of an MP4; fails when their sizes do not add up. */
function boxesOf(bytes: Uint8Array): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const types: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    types.push(new TextDecoder().decode(bytes.subarray(at + 4, at + 8)));
    at += view.getUint32(at);
  }
  assertEquals(at, bytes.length);
  return types;
}

Deno.test("a finished video is a whole MP4 of its own", async () => {
  await withSandbox(MANUAL, async (client, { control }) => {
    const [one, two] = [await finishedUrl(client), await finishedUrl(client)];
    const response = await fetch(one);
    assertEquals(response.headers.get("content-type"), "video/mp4");
    const bytes = await response.bytes();
    assertEquals(Number(response.headers.get("content-length")), bytes.length);
    assertEquals(boxesOf(bytes), ["ftyp", "moov", "free", "mdat", "free"]);
    const [task] = control.state().tasks;
    assert(new TextDecoder().decode(bytes.subarray(-80)).includes(task?.taskUUID ?? "none"));
    const other = await (await fetch(two)).bytes();
    assertEquals(other.length, bytes.length);
    assert(other.some((byte, i) => byte !== bytes[i]));
    assertEquals(await (await fetch(one)).bytes(), bytes);
  });
});

Deno.test("the sample is the nearest by shape, then by length, then by size", () => {
  const file = (width: number, height: number, seconds: number) =>
    nearestSample({ width, height, seconds }).file;
  assertEquals(file(1280, 720, 5), "1280x720-5s.mp4");
  assertEquals(file(1920, 1088, 10), "1920x1080-8s.mp4");
  assertEquals(file(360, 640, 6), "720x1280-5s.mp4");
  assertEquals(file(1080, 1920, 8), "1080x1920-8s.mp4");
  assertEquals(file(640, 640, 8), "1080x1080-8s.mp4");
});

Deno.test("HEAD and ranges are answered as a CDN would", async () => {
  await withSandbox(MANUAL, async (client) => {
    const url = await finishedUrl(client);
    const whole = await (await fetch(url)).bytes();
    const head = await fetch(url, { method: "HEAD" });
    assertEquals(head.headers.get("content-length"), `${whole.length}`);
    assertEquals((await head.bytes()).length, 0);
    for (
      const [range, from, to] of [
        ["bytes=0-99", 0, 100],
        ["bytes=1000-", 1000, whole.length],
        ["bytes=-10", whole.length - 10, whole.length],
        [`bytes=5-${whole.length * 2}`, 5, whole.length],
      ] as const
    ) {
      const part = await fetch(url, { headers: { range } });
      assertEquals(part.status, 206);
      assertEquals(part.headers.get("content-range"), `bytes ${from}-${to - 1}/${whole.length}`);
      assertEquals(await part.bytes(), whole.subarray(from, to));
    }
    const beyond = await fetch(url, { headers: { range: `bytes=${whole.length}-` } });
    assertEquals([beyond.status, beyond.headers.get("content-range")], [
      416,
      `bytes */${whole.length}`,
    ]);
    await beyond.body?.cancel();
  });
});

Deno.test("F21 a URL ends with the ttl of its task, by the knob, or by hand", async () => {
  const options = { now: () => 0, knobs: { manual: true } };
  await withSandbox(options, async (client, { control }) => {
    const status = async (url: string) => {
      const response = await fetch(url);
      await response.body?.cancel();
      return response.status;
    };
    const [forever, minute] = [await finishedUrl(client), await finishedUrl(client, { ttl: 60 })];
    control.advance(59_999);
    assertEquals([await status(forever), await status(minute)], [200, 200]);
    control.advance(1);
    assertEquals([await status(forever), await status(minute)], [200, 403]);
    control.configure({ urlTtlMs: 60_000, expiredStatus: 404 });
    assertEquals(await status(forever), 404);
    control.configure({ urlTtlMs: null, expiredStatus: 403 });
    const [task] = control.state().tasks;
    control.expire(task?.taskUUID ?? "");
    assertEquals(await status(forever), 403);
  });
});

Deno.test("a file is missing before its video is finished, and for ids that are not known", async () => {
  await withSandbox(MANUAL, async (client, sandbox) => {
    const url = await finishedUrl(client);
    sandbox.control.reset();
    for (const gone of [url, new URL("/media/../state", url), new URL("/media/", url)]) {
      const response = await fetch(gone);
      assertEquals(response.status, 404);
      await response.body?.cancel();
    }
  });
});

Deno.test("downloads fail as often as asked: missing, not a video, cut", async () => {
  const knobs = {
    manual: true,
    mediaMissing: { next: 1 },
    mediaWrongContent: { next: 1 },
    mediaCut: { next: 1 },
  };
  await withSandbox({ knobs }, async (client, { control }) => {
    const url = await finishedUrl(client);
    const missing = await fetch(url);
    assertEquals(missing.status, 404);
    await missing.body?.cancel();
    const page = await fetch(url);
    assertEquals([page.status, page.headers.get("content-type")], [
      200,
      "text/html; charset=utf-8",
    ]);
    await page.body?.cancel();
    const cut = await fetch(url);
    assertEquals(cut.status, 200);
    await assertRejects(() => cut.bytes(), TypeError);
    assertEquals(boxesOf(await (await fetch(url)).bytes()).at(-1), "free");
    assertEquals(control.state().counts.mediaGets, 4);
  });
});

Deno.test("F22 a file can be as large as asked, and is still a whole MP4", async () => {
  const mediaBytes = 3_000_000;
  await withSandbox({ knobs: { manual: true, mediaBytes } }, async (client) => {
    const bytes = await (await fetch(await finishedUrl(client))).bytes();
    assertEquals(bytes.length, mediaBytes);
    assertEquals(boxesOf(bytes), ["ftyp", "moov", "free", "mdat", "free", "free"]);
  });
});

Deno.test("any range of the pieces is the same range of the whole", () => {
  const pieces: Segment[] = [
    Uint8Array.of(1, 2, 3),
    { zeros: 200_000 },
    Uint8Array.of(4, 5),
  ];
  const total = pieces.reduce((sum, piece) => sum + lengthOf(piece), 0);
  const read = (from: number, to: number) =>
    [...readRange(pieces, from, to)].flatMap((chunk) => [...chunk]);
  const whole = read(0, total);
  assertEquals(whole.length, total);
  for (const [from, to] of [[0, 1], [2, 4], [1, 200_004], [199_999, total], [5, 5]] as const) {
    assertEquals(read(from, to), whole.slice(from, to));
  }
});
