import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "../support/until.ts";
import { call as callOf } from "../support/app.ts";
import { byHand } from "../support/by_hand.ts";
import { type TestStack, withStack } from "../support/stack.ts";
import { keysOf, signToken } from "../support/tokens.ts";
import { anonymousClient, signUp } from "../support/users.ts";

const functionsDir = fileURLToPath(new URL("../fixtures/project/functions", import.meta.url));

const withFunctions = (work: (stack: TestStack) => Promise<void>) => () =>
  withStack({ functionsDir, cron: false }, work);

function call(stack: TestStack, path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${stack.supabaseUrl}/functions/v1/${path}`, { method: "POST", ...init });
}

async function statusOf(answer: Promise<Response>): Promise<number> {
  const response = await answer;
  await response.body?.cancel();
  return response.status;
}

Deno.test(
  "a function behind withSupabase knows the user who calls it",
  withFunctions(async (stack) => {
    const user = await signUp(stack);
    const { data, error } = await user.client.functions.invoke("whoami");
    assertEquals(error, null);
    assertEquals(data, { id: user.id });
  }),
);

Deno.test(
  "verify_jwt turns strangers away before the function runs",
  withFunctions(async (stack) => {
    const keys = await keysOf(stack);
    const expired = await signToken(keys, { sub: crypto.randomUUID() }, 1_700_000_000);
    for (const token of [expired, "a.b.c", stack.publishableKey, stack.secretKey]) {
      const authorization = `Bearer ${token}`;
      assertEquals(await statusOf(call(stack, "whoami", { headers: { authorization } })), 401);
    }
    assertEquals(await statusOf(call(stack, "whoami")), 401);
    const { error } = await anonymousClient(stack).functions.invoke("whoami");
    assert(error);
    assertEquals(stack.functions?.requests.get("whoami"), undefined);
  }),
);

Deno.test(
  "a function for the cron key takes that key alone, and can use the admin API with it",
  withFunctions(async (stack) => {
    const status = (apikey: string) => statusOf(call(stack, "cron-only", { headers: { apikey } }));
    assertEquals(await status(stack.secretKey), 401);
    assertEquals(await status(stack.publishableKey), 401);
    assertEquals(await statusOf(call(stack, "cron-only")), 401);
    const answer = await call(stack, "cron-only", { headers: { apikey: stack.cronKey } });
    assertEquals(await answer.json(), { key: "cron", error: null });
  }),
);

Deno.test(
  "an unknown function is 404, one that does not load is 503 and says why in the log",
  withFunctions(async (stack) => {
    const unknown = await call(stack, "no-such-function");
    assertEquals(unknown.status, 404);
    assertEquals((await unknown.json()).code, "NOT_FOUND");
    assertEquals(await statusOf(call(stack, "..%2Fwhoami")), 404);
    const broken = await call(stack, "broken");
    assertEquals(broken.status, 503);
    assertStringIncludes((await broken.json()).message, '"broken" does not start');
    await until("the log says why", async () => {
      const log = await Deno.readTextFile(join(stack.dataDir, "stack.log"));
      return log.includes("never going to work") ? true : undefined;
    });
  }),
);

Deno.test(
  "functions that are called at once for the first time are imported one after the other",
  withFunctions(async (stack) => {
    await Promise.all(["slow-first", "slow-second"].map((name) => statusOf(call(stack, name))));
    assertEquals(await (await call(stack, "slow-first")).json(), { mostAtOnce: 1 });
  }),
);

Deno.test(
  "a body streams through in both directions while it is still being sent",
  withFunctions(async (stack) => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const encoder = new TextEncoder();
    const first = writer.write(encoder.encode("first"));
    const response = await call(stack, "echo/deeper?x=1", { body: readable });
    await first;
    assertEquals(response.headers.get("x-path"), "/echo/deeper");
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    assertEquals((await reader.read()).value, "first");
    const second = writer.write(encoder.encode("second"));
    assertEquals((await reader.read()).value, "second");
    await second;
    await writer.close();
    assertEquals((await reader.read()).done, true);
  }),
);

Deno.test(
  "failing background work and forgotten rejections don't end the process",
  withFunctions(async (stack) => {
    assertEquals(await statusOf(call(stack, "careless")), 200);
    assertEquals(await statusOf(call(stack, "careless?throw")), 500);
    assertEquals(await statusOf(call(stack, "careless")), 200);
    assertEquals(stack.functions?.requests.get("careless"), 3);
  }),
);

Deno.test(
  "a killed process answers 503 until it is restarted",
  withFunctions(async (stack) => {
    assertEquals(await statusOf(call(stack, "echo")), 200);
    await stack.functions?.kill();
    assertEquals(await statusOf(call(stack, "echo")), 503);
    await stack.functions?.restart();
    assertEquals(await statusOf(call(stack, "echo")), 200);
  }),
);

Deno.test(
  "functions see the hosted variables and nothing of the developer's environment",
  () => {
    Deno.env.set("A_SECRET_OF_THE_DEVELOPER", "x");
    return withFunctions(async (stack) => {
      const env = await (await call(stack, "environment")).json();
      assertEquals(env.SUPABASE_URL, stack.supabaseUrl);
      assertEquals(env.SUPABASE_DB_URL, stack.databaseUrl);
      assertEquals(JSON.parse(env.SUPABASE_JWKS), stack.jwks);
      assertEquals(JSON.parse(env.SUPABASE_SECRET_KEYS), {
        default: stack.secretKey,
        cron: stack.cronKey,
      });
      assertEquals(env.RUNWARE_URL, stack.providers.runware.url);
      assertEquals(env.A_SECRET_OF_THE_DEVELOPER, undefined);
    })().finally(() => Deno.env.delete("A_SECRET_OF_THE_DEVELOPER"));
  },
);

Deno.test("a worker says 202 only when its queue is ready: on a schema of another version it is an error, until that is right", async () => {
  await byHand({}, async (app) => {
    const statuses = () =>
      Promise.all(
        ["submit-videos", "poll-videos", "store-videos", "notify-users"].map(async (name) =>
          (await callOf(app, name, { headers: { apikey: app.cronKey } })).status
        ),
      );
    await app.db.query("update pgboss.version set version = version - 1");
    assertEquals(await statuses(), [500, 500, 500, 500]);
    await app.db.query("update pgboss.version set version = version + 1");
    assertEquals(await statuses(), [202, 202, 202, 202]);
  });
});

Deno.test("the process ends when the one that started it is gone", async () => {
  const host = fileURLToPath(new URL("../../local/functions_host.ts", import.meta.url));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", host, functionsDir],
    stdin: "piped",
    stdout: "null",
  }).spawn();
  await child.stdin.close();
  assertEquals((await child.status).code, 0);
});
