import { fieldsOf } from "../support/refusals.ts";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { SignJWT } from "jose";
import { makeKeys, type StackKeys } from "../../local/keys.ts";
import {
  type AppStack,
  call,
  type Customer,
  headersOf,
  newCustomer,
  queue,
  queued,
  work,
} from "../support/app.ts";
import { byHand, delivered, rowCounts, stored } from "../support/by_hand.ts";
import { balanceOf, TWINKLE, videoOf } from "../support/fixtures.ts";
import { keysOf, signToken } from "../support/tokens.ts";
import { anonymousClient } from "../support/users.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const USER_FUNCTIONS = [
  { name: "queue-video", method: "POST" },
  { name: "cancel-video", method: "POST" },
  { name: "delete-account", method: "POST" },
  { name: "generate-clips", method: "POST" },
  { name: "check-clips-status", method: "POST" },
  { name: "generate-video", method: "POST" },
  { name: "wait-video", method: "POST" },
  { name: "video-status", method: "GET" },
] as const;
const CRON_FUNCTIONS = [
  ...["submit-videos", "poll-videos", "store-videos", "notify-users", "maintain"],
] as const;

/** What a function answered to somebody it does not let in. */
function assertTurnedAway(status: number, body: Record<string, unknown>, headers: Headers) {
  assertEquals([status, body["success"], body["code"]], [401, false, "unauthorized"]);
  // Two functions tell the class of an error, too.
  const { error_type: _, ...usual } = body;
  assertEquals(Object.keys(usual).sort(), ["code", "error", "request_id", "success"]);
  assertMatch(String(body["request_id"]), UUID);
  assertEquals(headers.get("x-request-id"), body["request_id"]);
}

/** Tokens that speak of the victim and that nobody may use, by what is wrong with them. */
async function badTokens(
  app: AppStack,
  keys: StackKeys,
  victim: Customer,
): Promise<Record<string, string>> {
  const hour = Math.floor(Date.now() / 1000) + 3600;
  const claims = { sub: victim.id, role: "authenticated", aud: "authenticated" };
  const stranger = await makeKeys();
  const impostor = {
    ...stranger,
    signingKey: { ...stranger.signingKey, kid: keys.signingKey.kid },
  };
  const shared = (secret: string) =>
    new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid: keys.signingKey.kid })
      .setExpirationTime("1h").sign(new TextEncoder().encode(secret));
  const part = (value: unknown) => btoa(JSON.stringify(value)).replace(/=+$/, "");
  const [head, , signature] = victim.token.split(".");
  return {
    "garbage": "not.a.token",
    "empty": "",
    "a publishable key": app.publishableKey,
    "a secret key": app.secretKey,
    "expired": await signToken(keys, claims, hour - 7200),
    "valid for ever": await signToken(keys, claims, null),
    "signed by a stranger": await signToken(stranger, claims, hour),
    "signed by a stranger under our key's name": await signToken(impostor, claims, hour),
    "signed with the secret behind the gateway": await shared(keys.innerSecret),
    "signed with our public key as if it were a secret": await shared(JSON.stringify(app.jwks)),
    "not signed": `${part({ alg: "none" })}.${part({ ...claims, exp: hour })}.`,
    "changed after it was signed": `${head}.${part({ ...claims, exp: hour })}.${signature}`,
    "of the role anon": await signToken(keys, { ...claims, role: "anon" }, hour),
    "of the role service_role": await signToken(keys, { ...claims, role: "service_role" }, hour),
    "of another issuer's user": await signToken(keys, { ...claims, sub: "auth0|1" }, hour),
    "of nobody": await signToken(keys, { role: "authenticated" }, hour),
  };
}

Deno.test("no token, or one that is expired, forged or of another role: 401 at each function of the app, with and without the gateway before it", async () => {
  await byHand({}, async (app) => {
    const victim = await newCustomer(app);
    const videoId = await queued(app, victim);
    const before = await rowCounts(app);
    const body = JSON.stringify({ child_id: victim.childId, rhyme_id: TWINKLE });
    const tokens = await badTokens(app, await keysOf(app), victim);
    const all = [{}, { apikey: app.publishableKey }, { apikey: app.secretKey }].concat(
      Object.values(tokens).map((token) => ({
        apikey: app.publishableKey,
        authorization: `Bearer ${token}`,
      })),
    );
    for (const { name, method } of USER_FUNCTIONS) {
      for (const headers of all) {
        const what = { method, headers, ...(method === "POST" ? { body } : {}) };
        const outside = await call(app, `${name}?video_id=${videoId}`, what);
        assertEquals(outside.status, 401, `${name} ${JSON.stringify(headers)}`);
        const url = `http://127.0.0.1/${name}?video_id=${videoId}`;
        const inside = await app.functions.fetch(new Request(url, what));
        assertTurnedAway(inside.status, await inside.json(), inside.headers);
      }
    }
    assertEquals(await rowCounts(app), before);
    assertEquals((await videoOf(app.db, videoId)).status, "queued");
  });
});

Deno.test("F20 a stranger sees and changes nothing of another family: functions, REST and Storage", async () => {
  await byHand({}, async (app) => {
    const owner = await newCustomer(app);
    const stranger = await newCustomer(app);
    const [done, waiting] = [await queued(app, owner), await queued(app, owner)];
    await delivered(app, done);
    await stored(app);
    const headers = headersOf(app, stranger);

    const own = await queued(app, stranger);
    const ids = `video_id=${done}&video_id=${own}`;
    const status = await call(app, `video-status?${ids}`, { method: "GET", headers });
    assertEquals((status.body["videos"] as { video_id: string }[]).map((v) => v.video_id), [own]);
    const lone = await call(app, `video-status?video_id=${done}`, { method: "GET", headers });
    assertEquals([lone.status, lone.body["code"]], [404, "not_found"]);

    const body = JSON.stringify({ video_id: waiting });
    const cancel = await call(app, "cancel-video", { headers, body });
    assertEquals([cancel.status, cancel.body["code"]], [404, "not_found"]);
    assertEquals((await videoOf(app.db, waiting)).status, "processing");
    const theirChild = await queue(app, stranger, { child_id: owner.childId });
    assertEquals([theirChild.status, fieldsOf(theirChild.body["details"])], [404, ["child_id"]]);

    const tables = [
      "users",
      "children",
      "gem_entries",
      "videos",
      "video_progress",
      "notifications",
    ];
    for (const table of tables) {
      const { data, error } = await stranger.client.from(table).select("*");
      assertEquals(error, null, table);
      assert(!JSON.stringify(data).includes(owner.id), `${table} shows the owner's rows`);
      assertEquals((await anonymousClient(app).from(table).select("*")).data, null, table);
    }
    for (const table of ["video_jobs", "provider_events"]) {
      assertEquals((await owner.client.from(table).select("*")).error?.code, "42501", table);
    }
    const favourite = { p_video_id: done, p_favorite: true };
    assertEquals((await stranger.client.rpc("set_favorite", favourite)).error?.code, "GM005");
    const { data: project } = await owner.client.from("projects")
      .insert({ user_id: owner.id, frames: {} }).select("id").single();
    const change = { p_project_id: project?.id ?? "", p_title: "Mine" };
    assertEquals((await stranger.client.rpc("update_project", change)).error?.code, "GM005");
    const named = stranger.client.from("children").update({ name: "Eve" }).eq("id", owner.childId);
    assertEquals((await named.select("id")).data, []);

    const path = `${owner.id}/videos/${done}.mp4`;
    const files = stranger.client.storage.from("videos");
    assert((await files.download(path)).error, "download");
    assert((await files.createSignedUrl(path, 60)).error, "signed URL");
    assertEquals((await files.list(`${owner.id}/videos`)).data ?? [], []);
    await files.remove([path]);
    assert((await files.upload(`${owner.id}/videos/x.mp4`, new Blob(["x"]))).error, "upload");
    assertEquals((await owner.client.storage.from("videos").download(path)).error, null);
  });
});

Deno.test("F10 a body that names another user is 403 and writes nothing; one that names the caller is fine", async () => {
  await byHand({}, async (app) => {
    const [caller, other] = [await newCustomer(app), await newCustomer(app)];
    const before = await rowCounts(app);
    const answer = await queue(app, caller, { user_id: other.id });
    assertEquals([answer.status, answer.body["code"]], [403, "not_yours"]);
    const theirs = await queue(app, caller, { user_id: other.id, child_id: other.childId });
    assertEquals(theirs.status, 403);
    assertEquals(await rowCounts(app), before);
    // Swift writes ids in capitals.
    for (const id of [caller.id, caller.id.toUpperCase()]) {
      assertEquals((await queue(app, caller, { user_id: id })).status, 201);
    }
    assertEquals(await balanceOf(app.db, { userId: other.id, childId: "" }), 100);
  });
});

Deno.test("F31 the workers take the secret key named cron and nothing else", async () => {
  await byHand({}, async (app) => {
    const customer = await newCustomer(app);
    await queued(app, customer);
    const callers: Record<string, string>[] = [
      {},
      { apikey: app.publishableKey },
      { apikey: app.secretKey },
      headersOf(app, customer),
      { apikey: "sb_secret_guessed" },
      { apikey: `${app.cronKey} ` + "x" },
      { apikey: app.secretKey, authorization: `Bearer ${app.secretKey}` },
      { authorization: `Bearer ${app.cronKey}` },
    ];
    assertEquals(
      await app.db.query("select function_name as name from app.stages order by 1"),
      CRON_FUNCTIONS.toSorted().map((name) => ({ name })),
    );
    for (const name of CRON_FUNCTIONS) {
      for (const headers of callers) {
        const { status, body, headers: sent } = await call(app, `${name}?wait=1`, { headers });
        assertTurnedAway(status, body, sent);
      }
      assertEquals((await call(app, `${name}?apikey=${app.cronKey}`)).status, 401);
    }
    assertEquals(app.sandbox.control.state().counts.posts, 0);
    for (const name of CRON_FUNCTIONS) assertEquals((await work(app, name)).status, 200);
    assertEquals(app.sandbox.control.state().counts.tasksAccepted, 1);
  });
});

Deno.test("health is for secret keys: queues, providers with their balance, versions, no violated invariant", async () => {
  await byHand({}, async (app) => {
    const customer = await newCustomer(app);
    await queued(app, customer);
    const ask = (headers: Record<string, string>) =>
      call(app, "health", { method: "GET", headers });
    for (const headers of [{}, { apikey: app.publishableKey }, headersOf(app, customer)]) {
      const { status, body, headers: sent } = await ask(headers);
      assertTurnedAway(status, body, sent);
    }
    for (const key of [app.secretKey, app.cronKey]) {
      const { status, body } = await ask({ apikey: key });
      assertEquals([status, body["success"]], [200, true]);
      assertEquals((body["provider_accounts"] as Record<string, unknown>)["runware"], {
        balance_usd: 100_000,
      });
      const report = body["report"] as Record<string, Record<string, Record<string, unknown>>>;
      assertEquals(report["invariant_violations"] as unknown, 0);
      assertEquals(report["queues"]?.["submit-runware"]?.["waiting"], 1);
      assertEquals(report["videos"], { queued: 1 } as unknown);
      assertEquals(report["providers"]?.["runware"], {
        in_flight: 0,
        max_in_flight: 200,
        breaker: "closed",
        paused_until: null,
        pause_reason: null,
      });
      assertEquals(Object.keys(body["versions"] as object), ["gemreel", "pgboss"]);
    }
  });
});
