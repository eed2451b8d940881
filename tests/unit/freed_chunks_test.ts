import { assertEquals, assertRejects } from "@std/assert";
import { freedChunks } from "../../shared/storage/freed_chunks.ts";
import { createObjectStore } from "../../shared/storage/object_store.ts";

/** So many chunks of 64 KB, each filled with its own number. */
function chunks(count: number): ReadableStream<Uint8Array> {
  let sent = 0;
  return new ReadableStream({
    pull(controller) {
      if (sent === count) controller.close();
      else controller.enqueue(new Uint8Array(65_536).fill(sent++ % 251));
    },
  });
}

Deno.test("F22 what arrives at Storage is what was sent, byte for byte, however slowly it is read", async () => {
  const sums: number[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      let size = 0;
      for await (const chunk of request.body ?? []) {
        // Now and then everything on the way has to wait.
        if (size % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
        for (const byte of chunk) {
          const index = Math.floor(size++ / 65_536);
          sums[index] = (sums[index] ?? 0) + byte;
        }
      }
      return Response.json({});
    },
  );
  try {
    const store = createObjectStore({
      url: `http://127.0.0.1:${server.addr.port}`,
      secretKey: "sb_secret_test",
    });
    const options = { contentType: "video/mp4", signal: new AbortController().signal };
    assertEquals(await store.put("a.mp4", chunks(320), options), "stored");
    assertEquals(sums, Array.from({ length: 320 }, (_, n) => 65_536 * (n % 251)));
  } finally {
    await server.shutdown();
  }
});

Deno.test("a chunk's memory is given back when the next one is asked for, and not before", async () => {
  const reader = freedChunks(chunks(2)).getReader();
  const first = (await reader.read()).value;
  assertEquals(first?.byteLength, 65_536);
  const second = (await reader.read()).value;
  assertEquals([first?.byteLength, second?.byteLength], [0, 65_536]);
  assertEquals((await reader.read()).done, true);
  assertEquals(second?.byteLength, 0);
});

Deno.test("a source that breaks breaks what is made of it, and a reader that leaves is told to it", async () => {
  const broken = new ReadableStream<Uint8Array>({
    pull: () => Promise.reject(new RangeError("The file ends inside a box")),
  });
  await assertRejects(() => freedChunks(broken).getReader().read(), RangeError, "inside a box");

  const told: unknown[] = [];
  const source = new ReadableStream<Uint8Array>({ cancel: (reason) => void told.push(reason) });
  await freedChunks(source).cancel("enough");
  assertEquals(told, ["enough"]);
});
