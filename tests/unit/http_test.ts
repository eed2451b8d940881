import { assert, assertEquals, assertRejects } from "@std/assert";
import { z } from "zod";
import { readJson, readText } from "../../shared/http/body.ts";
import { fromRpcError, HttpError, wasUndone } from "../../shared/http/http_error.ts";
import { retryAfter } from "../../shared/http/retry_after.ts";
import { isWebhookToken, webhookToken, webhookUrl } from "../../shared/http/webhook_token.ts";
import { createLog, withoutQueries } from "../../shared/log.ts";

const post = (body: BodyInit) => new Request("http://test", { method: "POST", body });
const schema = z.strictObject({ id: z.uuid(), kind: z.enum(["a", "b"]) });

async function refusal(body: BodyInit): Promise<HttpError> {
  try {
    await readJson(post(body), schema, { most: 1_000 });
  } catch (error) {
    if (error instanceof HttpError) return error;
    throw error;
  }
  throw new Error("It was taken");
}

Deno.test("a body that fits is taken", async () => {
  const value = { id: crypto.randomUUID(), kind: "a" as const };
  assertEquals(await readJson(post(JSON.stringify(value)), schema), value);
});

Deno.test("each wrong field is named, unknown ones too, with the allowed values", async () => {
  const error = await refusal(JSON.stringify({ id: "x", kind: "c", price: 0 }));
  assertEquals([error.status, error.code], [400, "invalid_request"]);
  const details = error.extra.details as { field: string; allowed?: unknown }[];
  assertEquals(details.map((detail) => detail.field).toSorted(), ["id", "kind", "price"]);
  assertEquals(details.find((detail) => detail.field === "kind")?.allowed, ["a", "b"]);
});

Deno.test("no JSON, no UTF-8 and too much of it are told apart", async () => {
  assertEquals((await refusal("{")).code, "malformed_body");
  assertEquals((await refusal(new Uint8Array([0xff, 0xfe]))).code, "malformed_body");
  assertEquals((await refusal("x".repeat(1_001))).status, 413);
});

Deno.test("a body that breaks off is the caller's, and no failure of ours", async () => {
  const broken = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('{"id":'));
    },
    pull(controller) {
      controller.error(new TypeError("request body receiver not connected"));
    },
  });
  const error = await refusal(broken);
  assertEquals([error.status, error.code, error.message], [
    ...[400, "malformed_body", "The body broke off"],
  ]);
});

Deno.test("a body that hides its length is read up to the limit and no further", async () => {
  let sent = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 1;
      controller.enqueue(new Uint8Array(100));
    },
  });
  await assertRejects(() => readText(post(endless), 1_000), HttpError);
  assert(sent < 20, `${sent} chunks were read`);
});

Deno.test("database errors are known by their code, unknown ones tell nothing", () => {
  const known = fromRpcError({ code: "GM001", message: "x", details: '{"gem_cost": 10}' });
  assertEquals([known.status, known.code, known.extra.details], [402, "insufficient_gems", {
    gem_cost: 10,
  }]);
  const unknown = fromRpcError({ code: "42P01", message: 'relation "secret" does not exist' });
  assertEquals([unknown.status, unknown.code], [500, "internal_error"]);
  assert(!unknown.message.includes("secret"));
  for (const code of ["", "08006", "40P01", "57014", "57P01", "PGRST002"]) {
    const away = fromRpcError({ code, message: "connect ECONNREFUSED 10.0.0.7:5432" });
    assertEquals([away.status, away.code], [503, "unavailable"], code);
    assert(!away.message.includes("10.0.0.7"));
  }
});

Deno.test("what Postgres refused was undone; what it ran out of, or does not know of itself, may not be", () => {
  const undone = (code: string) => wasUndone(fromRpcError({ code, message: "x" }));
  for (const code of ["GM001", "23505", "22P05", "40001", "40P01"]) {
    assertEquals(undone(code), true, code);
  }
  // 40003: it does not know itself what became of the statement.
  for (const code of ["40003", "08006", "53300", "55P03", "57014", "57P01", "PGRST002", ""]) {
    assertEquals(undone(code), false, code);
  }
  assertEquals(wasUndone(new HttpError(503, "unavailable", "x")), false);
  assertEquals(wasUndone(new Error("x")), false);
});

Deno.test("Retry-After names seconds or a time; whatever else it says is no answer", () => {
  const now = Date.parse("2026-11-01T00:00:00Z");
  assertEquals(retryAfter("120", now), 120);
  assertEquals(retryAfter("Sun, 01 Nov 2026 00:02:00 GMT", now), 120);
  assertEquals(retryAfter("Sun, 01 Nov 2020 00:02:00 GMT", now), 0);
  assertEquals(retryAfter("Fri, 31 Dec 9999 23:59:59 GMT", now), 999_999_999);
  for (const text of [null, "soon", "-1", "99999999999999999"]) {
    const seconds = retryAfter(text, now);
    assert(seconds === undefined || seconds === 0, String(text));
  }
});

Deno.test("a webhook token belongs to one job and one secret", async () => {
  const secret = "s".repeat(32);
  const token = await webhookToken(secret, "job-1");
  assert(/^[0-9a-f]{64}$/.test(token));
  assertEquals(await isWebhookToken([secret], "job-1", token), true);
  assertEquals(await isWebhookToken(["new".repeat(11), secret], "job-1", token), true);
  assertEquals(await isWebhookToken([secret], "job-2", token), false);
  assertEquals(await isWebhookToken(["t".repeat(32)], "job-1", token), false);
  for (const wrong of ["", token.slice(1), token + "0", token.toUpperCase(), "0".repeat(64)]) {
    assertEquals(await isWebhookToken([secret], "job-1", wrong), false, wrong);
  }
  const url = await webhookUrl({
    baseUrl: "https://x.example/functions/v1",
    secret,
    functionName: "runware-webhook",
    jobId: "job-1",
  });
  assertEquals(url, `https://x.example/functions/v1/runware-webhook?job=job-1&token=${token}`);
});

Deno.test("F25 the log keeps secrets out, by name, and cuts long lines", () => {
  const lines: string[] = [];
  const log = createLog({ function: "x" }, (line) => lines.push(line));
  log.with({ request_id: "r" }).error("Failed", {
    apiKey: "sb_secret_1",
    nested: { authorization: "Bearer 2", token: "3" },
    error: new Error("boom"),
  });
  log.info("x".repeat(20_000));
  assert(!/sb_secret_1|Bearer 2|"3"/.test(lines[0] ?? ""), lines[0]);
  assert(lines[0]?.includes('"request_id":"r"') && lines[0].includes("boom"));
  assert((lines[1]?.length ?? 0) <= 9_000);
});

Deno.test("F25 the log keeps secrets out that lie in lists and objects", () => {
  const lines: string[] = [];
  const log = createLog({}, (line) => lines.push(line));
  log.info("x", {
    tokens: ["canary"],
    keys: { p256dh: "canary", nested: [{ auth: "canary" }] },
    list: [{ secret: { value: "canary" } }],
    token_count: 3,
  });
  assert(!lines[0]?.includes("canary"), lines[0]);
  assert(lines[0]?.includes('"token_count":3'));
});

/** The error of fetching a signed link from a port where nobody listens. */
async function failedFetch(): Promise<{ url: string; error: unknown }> {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response(),
  );
  await server.shutdown();
  const url = `http://127.0.0.1:${server.addr.port}/x.mp4?token=canary`;
  const error = await fetch(url).then(() => null, (error: unknown) => error);
  // In the message (Deno 2.1), or in that of its cause (2.9).
  assert(Deno.inspect(error).includes(url));
  return { url, error };
}

Deno.test("F25 the log keeps the queries of links out, wherever it meets one", async () => {
  const lines: string[] = [];
  const log = createLog({}, (line) => lines.push(line));
  const { url, error } = await failedFetch();
  log.warn("A file could not be stored", { error: new Error("Failed", { cause: error }) });
  log.warn(`Lost ${url}`, { links: [{ href: url }, url] });
  log.warn(`${url} ${"x".repeat(20_000)}`);
  const circle: Record<string, unknown> = {};
  log.warn(`Lost ${url}`, { circle: Object.assign(circle, { circle }) });
  for (const line of lines) {
    assert(!line.includes("canary"), line);
    assert(line.includes("/x.mp4?[redacted]"), line);
  }
  assertEquals(lines.length, 4);
});

Deno.test("a text keeps all but the queries of its links, and is left alone the second time", () => {
  const cases = [
    [
      "for url (https://a.example/x?t=(1)): refused",
      "for url (https://a.example/x?[redacted]): refused",
    ],
    ['{"url":"HTTPS://a.example/?t=1","b":2}', '{"url":"HTTPS://a.example/?[redacted]","b":2}'],
    [
      "https://a.example/x?t=1 and http://b.example?u",
      "https://a.example/x?[redacted] and http://b.example?[redacted]",
    ],
    [
      "https://a.example/x, why? ftp://b.example/?c",
      "https://a.example/x, why? ftp://b.example/?c",
    ],
  ] as const;
  for (const [text, kept] of cases) {
    assertEquals(withoutQueries(text), kept);
    assertEquals(withoutQueries(kept), kept);
  }
});
