import { assertEquals } from "@std/assert";
import { createServer } from "node:net";
import { neverConnected, sentOnce } from "../../shared/providers/send_once.ts";

const ANSWER = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

/** Answers the first call on a connection that stays open, takes the second one, and is gone. */
async function serverThatDies() {
  const server = createServer();
  let calls = 0;
  server.on("connection", (socket) => {
    socket.on("error", () => {});
    let heard = "";
    socket.on("data", (bytes) => {
      heard += bytes.toString();
      if (!heard.endsWith("}")) return;
      heard = "";
      calls += 1;
      if (calls === 1) return void socket.write(ANSWER);
      server.close();
      socket.destroy();
    });
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port");
  return { url: `http://127.0.0.1:${address.port}/`, calls: () => calls };
}

const buy = async (url: string) => {
  const response = await fetch(url, { method: "POST", body: sentOnce({ buy: 1 }) });
  return await response.text();
};

async function failureOf(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call;
  } catch (error) {
    return error;
  }
}

Deno.test("a call that dies with its connection was sent once, and counts as maybe sent", async () => {
  const { url, calls } = await serverThatDies();
  assertEquals(await buy(url), "{}");
  const failure = await failureOf(buy(url));
  assertEquals([failure instanceof TypeError, neverConnected(failure)], [true, false]);
  assertEquals(calls(), 2);

  const refused = await failureOf(buy(url));
  assertEquals(neverConnected(refused), true, String(refused));
});

Deno.test("a name that nobody has was never connected to either", async () => {
  const failure = await failureOf(buy("http://nobody.invalid/"));
  assertEquals(neverConnected(failure), true, String(failure));
});
