import { assert, assertEquals, assertRejects } from "@std/assert";
import { readCapped, TooLongError } from "../../shared/http/read_capped.ts";

/** What is read of an answer that comes in these pieces, over real HTTP. */
async function read(pieces: Iterable<Uint8Array>, most?: number): Promise<string> {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response(ReadableStream.from(pieces)),
  );
  try {
    return await readCapped(await fetch(`http://127.0.0.1:${server.addr.port}/`), most);
  } finally {
    await server.shutdown();
  }
}

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("an answer as long as it may be is read, one byte more is an error", async () => {
  assertEquals(await read([bytes("abc"), bytes("de")], 5), "abcde");
  await assertRejects(() => read([bytes("abc"), bytes("def")], 5), TooLongError, "5 bytes");
  assertEquals(await read([]), "");
});

Deno.test("an answer without an end is read to the limit and no further", async () => {
  let sent = 0;
  function* endless() {
    for (;; sent++) yield new Uint8Array(100_000);
  }
  await assertRejects(() => read(endless()), TooLongError, "longer than 8388608 bytes");
  assert(sent < 1_000, `${sent} pieces were sent`);
});

Deno.test("a character in two pieces is one, and what is none is replaced", async () => {
  const [first, ...rest] = bytes("\u00fcber");
  assertEquals(await read([Uint8Array.of(first ?? 0), Uint8Array.from(rest)]), "\u00fcber");
  assertEquals(await read([Uint8Array.of(0xff), bytes("x"), Uint8Array.of(0xc3)]), "\ufffdx\ufffd");
});
