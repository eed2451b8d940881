import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { CallError } from "../../shared/providers/http.ts";
import { createRunwareProvider } from "../../shared/providers/runware/adapter.ts";
import {
  API_KEY,
  FAR_TOO_MUCH,
  ID_A,
  standing,
  videoTask,
  withStandIn,
} from "../support/runware_support.ts";

Deno.test("every call carries the key in its header and nowhere else", () =>
  withStandIn({ body: { data: [] } }, async ({ provider, received }) => {
    await provider.submit([videoTask(ID_A)]);
    assertEquals(received[0]?.headers.get("authorization"), `Bearer ${API_KEY}`);
    assertEquals(JSON.stringify(received[0]?.tasks).includes(API_KEY), false);
  }));

Deno.test("an answer that does not come in time leaves a submit unknown and a poll unanswered", async () => {
  const release = Promise.withResolvers<void>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async () => {
    await release.promise;
    return new Response();
  });
  const url = `http://127.0.0.1:${server.addr.port}/v1`;
  const provider = createRunwareProvider({ apiKey: API_KEY, url, timeoutMs: 20 });
  try {
    const [outcome] = await provider.submit([videoTask(ID_A)]);
    assertEquals(standing(outcome), "unknown server deadline");
    const [state] = await provider.poll([ID_A]);
    assertEquals(standing(state), "unanswered server deadline");
  } finally {
    release.resolve();
    await server.shutdown();
  }
});

Deno.test("an answer whose body stops half way is unknown too", async () => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const begun = writer.write(new TextEncoder().encode('{"data":['));
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response(readable),
  );
  const url = `http://127.0.0.1:${server.addr.port}/v1`;
  const provider = createRunwareProvider({ apiKey: API_KEY, url, timeoutMs: 50 });
  try {
    const [outcome] = await provider.submit([videoTask(ID_A)]);
    assertEquals(standing(outcome), "unknown server deadline");
  } finally {
    // The client is gone, so the stream may be closed or broken already; either way it ends here.
    await Promise.allSettled([begun, writer.close()]);
    await server.shutdown();
  }
});

Deno.test("nobody listening leaves a submit unknown, without the key in the error", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${listener.addr.port}/v1`;
  listener.close();
  const provider = createRunwareProvider({ apiKey: API_KEY, url });
  const [outcome] = await provider.submit([videoTask(ID_A)]);
  assertEquals(standing(outcome), "unknown server unreachable");
  assertEquals(JSON.stringify(outcome).includes(API_KEY), false);
});

Deno.test("F25 an error that fetch words with the key in it does not carry it further", async () => {
  const provider = createRunwareProvider({
    apiKey: API_KEY,
    fetch: () => Promise.reject(new TypeError(`could not send Bearer ${API_KEY}`)),
  });
  const told = JSON.stringify(await provider.submit([videoTask(ID_A)]));
  assertEquals(told.includes(API_KEY), false);
});

Deno.test("what Postgres cannot store is taken out of an error that fetch words", async () => {
  const provider = createRunwareProvider({
    apiKey: API_KEY,
    fetch: () => Promise.reject(new TypeError("cut\0short\ud800")),
  });
  const told = JSON.stringify(await provider.submit([videoTask(ID_A)]));
  assertEquals(/\\u0000|\\ud8/.test(told), false, told);
});

Deno.test("an answer that is too long counts as unreadable, however good its beginning", () =>
  withStandIn({ body: `{"data":[]}${FAR_TOO_MUCH}` }, async ({ provider }) => {
    const [outcome] = await provider.submit([videoTask(ID_A)]);
    assertEquals(standing(outcome), "unknown server unreadable");
    const [state] = await provider.poll([ID_A]);
    assertEquals(standing(state), "unanswered server unreadable");
    assertEquals(JSON.stringify(state).includes("longer than 8388608 bytes"), true);
  }));

Deno.test("a redirect is not followed, so the key stays where it was sent", () =>
  withStandIn(
    { status: 302, headers: { location: "/elsewhere" }, body: "" },
    async ({ provider, received }) => {
      const [outcome] = await provider.submit([videoTask(ID_A)]);
      assertEquals(standing(outcome), "unknown server http_302");
      assertEquals(received.length, 1);
    },
  ));

for (
  const [form, balance, usd] of [
    ["a number", 12.5, 12.5],
    ["an object", { amount: 12.5, freeBalance: 2, currency: "USD" }, 14.5],
    ["an object without free balance", { amount: 3 }, 3],
    ["nothing left", 0, 0],
  ] as const
) {
  Deno.test(`a balance told as ${form} is read in USD`, () =>
    withStandIn(({ tasks }) => {
      assertEquals(tasks.map(({ taskType, operation }) => [taskType, operation]), [
        ["accountManagement", "getDetails"],
      ]);
      return {
        body: { data: [{ taskType: "accountManagement", organizationName: "x", balance }] },
      };
    }, async ({ provider }) => assertEquals(await provider.balanceUsd(), usd)));
}

Deno.test("asking for the balance throws what Runware said, by kind and code", () =>
  withStandIn(
    { status: 401, body: { errors: [{ code: "invalidApiKey", message: "No" }] } },
    async ({ provider }) => {
      const error = await assertRejects(() => provider.balanceUsd(), CallError);
      assertEquals([error.kind, error.code], ["auth", "invalidApiKey"]);
    },
  ));

Deno.test("a balance in a form that is not known is an error, not zero", () =>
  withStandIn({ body: { data: [{ balance: "lots" }] } }, async ({ provider }) => {
    const error = await assertRejects(() => provider.balanceUsd(), CallError);
    assertEquals(error.code, "unreadable");
  }));

Deno.test("a key that cannot be one is refused at once and not quoted", () => {
  for (const apiKey of ["", "two words", 'quo"te', "line\nbreak"]) {
    const error = assertThrows(() => createRunwareProvider({ apiKey }), TypeError);
    assertEquals(apiKey !== "" && error.message.includes(apiKey), false);
  }
});

Deno.test("an address that is none is refused at once", () => {
  assertThrows(() => createRunwareProvider({ apiKey: API_KEY, url: "runware" }), TypeError);
});
