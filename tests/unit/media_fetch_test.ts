import { assertEquals } from "@std/assert";
import { createServer, type ServerResponse } from "node:http";
import { isAllowedMedia } from "../../shared/storage/allowed_media.ts";
import { type Media, MediaError, openMedia } from "../../shared/storage/media_fetch.ts";
import { type MediaRules, THUMBNAILS, VIDEOS } from "../../shared/storage/media_types.ts";

const HOSTS = ["vm.runware.ai"];

Deno.test("F23 only https on the provider's own hosts may be fetched", () => {
  assertEquals(isAllowedMedia("https://vm.runware.ai/video/x.mp4", HOSTS), true);
  assertEquals(isAllowedMedia("https://vm.runware.ai:443/video/x.mp4", HOSTS), true);
  const refused = [
    "",
    "x.mp4",
    "http://vm.runware.ai/x.mp4",
    "ftp://vm.runware.ai/x.mp4",
    "file:///etc/passwd",
    "file://vm.runware.ai/etc/passwd",
    "data:video/mp4;base64,AA",
    "blob:https://vm.runware.ai/x",
    "https://vm.runware.ai.evil.com/x.mp4",
    "https://evil.com/vm.runware.ai",
    "https://vm.runware.ai@evil.com/x.mp4",
    "https://user@vm.runware.ai/x.mp4",
    "https://user:word@vm.runware.ai/x.mp4",
    "https://vm.runware.ai:8443/x.mp4",
    "https://vm.runware.ai./x.mp4",
    "http://169.254.169.254/latest/meta-data",
    "https://169.254.169.254/latest/meta-data",
    "https://2852039166/",
    "https://[::ffff:169.254.169.254]/",
    "https://10.0.0.1/x.mp4",
    "http://127.0.0.1/x.mp4",
    "http://localhost/x.mp4",
  ];
  for (const url of refused) assertEquals(isAllowedMedia(url, HOSTS), false, url);
});

Deno.test("F23 plain http only for the very loopback address on the list", () => {
  const hosts = ["127.0.0.1:54340", "[::1]:54340", "vm.runware.ai:80"];
  assertEquals(isAllowedMedia("http://127.0.0.1:54340/x.mp4", hosts), true);
  assertEquals(isAllowedMedia("http://[::1]:54340/x.mp4", hosts), true);
  assertEquals(isAllowedMedia("http://[::1]:54341/x.mp4", hosts), false);
  assertEquals(isAllowedMedia("http://127.0.0.1:54341/x.mp4", hosts), false);
  assertEquals(isAllowedMedia("http://localhost:54340/x.mp4", hosts), false);
  assertEquals(isAllowedMedia("http://vm.runware.ai/x.mp4", hosts), false);
});

Deno.test("F23 no private address is ever fetched, not even one that is on the list", () => {
  const inside = [
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "127.0.0.2",
    "0.0.0.0",
    "255.255.255.255",
    "[::2]",
    "[fd00::1]",
    "[::ffff:10.0.0.1]",
    "metadata",
    "metadata.google.internal",
  ];
  for (const host of inside) {
    const { host: listed } = new URL(`https://${host}`);
    assertEquals(isAllowedMedia(`https://${host}/x.mp4`, [listed]), false, host);
  }
  for (const host of ["8.8.8.8", "172.15.0.1", "172.32.0.1", "100.128.0.1", "cdn.example.com"]) {
    assertEquals(isAllowedMedia(`https://${host}/x.mp4`, [host]), true, host);
  }
});

/** What came of a file that a server on this machine sends in `send`'s way: its bytes, or the error's code. */
async function fetched(
  send: (response: ServerResponse) => void,
  wanted: MediaRules = VIDEOS,
  more: { readonly beginningMs?: number } = {},
): Promise<string> {
  let gets = 0;
  const server = createServer((_request, response) => {
    gets++;
    send(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const host = `127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  const controller = new AbortController();
  let media: Media | undefined;
  try {
    media = await openMedia(`http://${host}/x.mp4`, {
      hosts: [host],
      wanted,
      signal: controller.signal,
      ...more,
    });
    return await new Response(media.body).text();
  } catch (error) {
    const reason = media === undefined ? error : media.problem();
    return `${reason instanceof MediaError ? reason.code : "broken"} after ${gets}`;
  } finally {
    controller.abort();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const FILE = "\0\0\0\x18ftypisom and what a video is made of";

Deno.test("an MP4 passes through as it is, also when it comes byte by byte", async () => {
  assertEquals(await fetched((response) => response.end(FILE)), FILE);
  const slowly = (response: ServerResponse, at = 0) => {
    if (at === FILE.length) return void response.end();
    response.write(FILE[at], () => setImmediate(() => slowly(response, at + 1)));
  };
  assertEquals(await fetched((response) => slowly(response)), FILE);
});

/** Sends `locations` one after the other as redirects, then the file. */
function redirecting(locations: readonly string[], status = 302) {
  const left = [...locations];
  return (response: ServerResponse) => {
    const location = left.shift();
    if (location === undefined) response.end(FILE);
    else response.writeHead(status, { location }).end("Elsewhere");
  };
}

Deno.test("redirects within the hosts of the list are followed, three of them", async () => {
  for (const status of [301, 302, 303, 307, 308]) {
    assertEquals(await fetched(redirecting(["/y.mp4", "z.mp4", "?a=b"], status)), FILE);
  }
  assertEquals(await fetched(redirecting(Array(4).fill("/x.mp4"))), "unavailable after 4");
});

Deno.test("F23 a redirect to anywhere else is not followed, at whichever step", async () => {
  let gets = 0;
  await using inside = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    gets++;
    return new Response(FILE);
  });
  const elsewhere = [
    `http://127.0.0.1:${inside.addr.port}/x.mp4`,
    `//127.0.0.1:${inside.addr.port}/x.mp4`,
    "http://169.254.169.254/latest/meta-data",
    "https://evil.example.com/x.mp4",
    "file:///etc/passwd",
    "http://[",
  ];
  for (const place of elsewhere) {
    assertEquals(await fetched(redirecting([place])), "host_not_allowed after 1", place);
    assertEquals(await fetched(redirecting(["/y.mp4", place])), "host_not_allowed after 2", place);
  }
  assertEquals(gets, 0);
});

Deno.test("what we say of ourselves is not said to where a redirect leads", async () => {
  const heard: (string | null)[] = [];
  const listen = (answer: (request: Request) => Response) =>
    Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
      heard.push(request.headers.get("apikey"));
      return answer(request);
    });
  await using second = listen(() => new Response(FILE));
  await using first = listen(() =>
    new Response(null, {
      status: 302,
      headers: { location: `http://127.0.0.1:${second.addr.port}/x.mp4` },
    })
  );
  const hosts = [first, second].map(({ addr }) => `127.0.0.1:${addr.port}`);
  const media = await openMedia(`http://${hosts[0]}/x.mp4`, {
    hosts,
    wanted: VIDEOS,
    signal: AbortSignal.timeout(60_000),
    headers: { apikey: "secret" },
  });
  assertEquals(await new Response(media.body).text(), FILE);
  assertEquals(heard, ["secret", null]);
});

Deno.test("a dead link is gone, a server in trouble is unavailable", async () => {
  const answer = (status: number) => fetched((response) => response.writeHead(status).end("no"));
  for (const status of [401, 403, 404, 410]) assertEquals(await answer(status), "gone after 1");
  for (const status of [429, 500, 503]) {
    assertEquals(await answer(status), "unavailable after 1");
  }
});

Deno.test("an answer without a file and without a place to look is unavailable: it is tried again", async () => {
  for (const status of [204, 302, 304, 308]) {
    const send = (response: ServerResponse) => response.writeHead(status).end();
    assertEquals(await fetched(send), "unavailable after 1", String(status));
  }
});

Deno.test("a host that says nothing, or begins and goes on no further, is unavailable before the whole time is up", async () => {
  const silent = () => {};
  const stuck = (response: ServerResponse) => response.writeHead(200).write("\0\0");
  for (const send of [silent, stuck]) {
    assertEquals(await fetched(send, VIDEOS, { beginningMs: 50 }), "unavailable after 1");
  }
});

Deno.test("what is no MP4, or nothing at all, has the wrong content", async () => {
  const bodies = [
    "",
    "ftyp",
    "\0\0\0\x18fty",
    "<!doctype html><title>Expired</title>",
    "\0".repeat(99),
  ];
  for (const body of bodies) {
    assertEquals(await fetched((response) => response.end(body)), "wrong_content after 1", body);
  }
});

Deno.test("a file that is too large by its own word is not begun", async () => {
  const send = (response: ServerResponse) => {
    response.writeHead(200, { "content-length": VIDEOS.largest + 1 });
    response.write(FILE, () => response.socket?.destroy());
  };
  assertEquals(await fetched(send), "too_large after 1");
});

Deno.test("a file that is cut half-way is an error, never a short file", async () => {
  const send = (response: ServerResponse) => {
    response.writeHead(200, { "content-length": 1_000 });
    response.write(FILE, () => response.socket?.destroy());
  };
  assertEquals(await fetched(send), "broken after 1");
});

Deno.test("a file that grows too large without a word is cut off there", async () => {
  const send = (response: ServerResponse) => {
    response.write(FILE, () => response.end("x".repeat(100_000)));
  };
  assertEquals(await fetched(send, { ...VIDEOS, largest: 50_000 }), "too_large after 1");
});

Deno.test("F22 a Content-Length that lies: the file that ends inside a box is no video", async () => {
  // ftyp, then a box of 1,000 bytes of which the length lets 92 through.
  const bytes = new Uint8Array(1_024);
  bytes.set(new TextEncoder().encode(FILE.slice(0, 24)));
  new DataView(bytes.buffer).setUint32(24, 1_000);
  bytes.set(new TextEncoder().encode("mdat"), 28);
  const sent = (length: number) => (response: ServerResponse) => {
    response.writeHead(200, { "content-length": length });
    response.strictContentLength = false;
    response.write(bytes.subarray(0, length));
    response.end(() => response.socket?.destroy());
  };
  assertEquals(await fetched(sent(124)), "cut after 1");
  assertEquals((await fetched(sent(1_024))).length, 1_024);
});

Deno.test("pictures are told by how they begin, whatever they are called", async () => {
  const beginnings: Record<string, number[]> = {
    jpg: [0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46, 0, 1],
    png: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13],
    webp: [0x52, 0x49, 0x46, 0x46, 1, 0, 0, 0, 0x57, 0x45, 0x42, 0x50],
  };
  for (const [extension, head] of Object.entries(beginnings)) {
    const type = THUMBNAILS.types.find((each) => each.begins(Uint8Array.from(head)));
    assertEquals(type?.extension, extension);
  }
  const svg = (response: ServerResponse) => response.end("<svg onload='alert(1)'/>");
  assertEquals(await fetched(svg, THUMBNAILS), "wrong_content after 1");
  assertEquals(
    await fetched((response) => response.end(FILE), THUMBNAILS),
    "wrong_content after 1",
  );
});
