import { assert, assertEquals } from "@std/assert";
import type { NotifySandbox } from "../../local/sandbox/notify.ts";
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
import {
  byHand,
  delivered,
  functionsEnv,
  type HandStack,
  polled,
  stored,
  submitted,
} from "../support/by_hand.ts";
import { DIDDLE, passTime } from "../support/fixtures.ts";
import { keysOf } from "../support/tokens.ts";
import { USER_FUNCTIONS } from "../support/user_functions.ts";
import { anonymousClient } from "../support/users.ts";
import { tokenOf } from "../support/webhooks.ts";

const METHODS: Readonly<Record<string, string>> = {
  "generate-clips": "POST",
  "check-clips-status": "POST",
  "generate-video": "GET, POST",
  "wait-video": "POST",
  "queue-video": "POST",
  "cancel-video": "POST",
  "delete-account": "POST",
  "video-status": "GET",
  "runware-webhook": "POST",
  "kie-webhook": "POST",
  "submit-videos": "POST",
  "poll-videos": "POST",
  "store-videos": "POST",
  "notify-users": "POST",
  "maintain": "POST",
  "health": "GET",
};

Deno.test("F03 over REST no function of ours runs for anonymous visitors, and for users none but theirs, in any schema", async () => {
  await byHand({}, async (app) => {
    const { client } = await newCustomer(app);
    const functions = await app.db.query(
      `select n.nspname as schema, p.proname as name,
         coalesce(p.proargnames[1:p.pronargs], '{}') as args
       from pg_proc p join pg_namespace n on n.oid = p.pronamespace
       where n.nspname in ('public', 'app') order by 1, 2`,
    );
    assert(functions.length > 20, "there are functions to try");
    for (const { schema, name, args } of functions) {
      const values = Object.fromEntries((args as string[]).map((arg) => [arg, null]));
      const visitors = [anonymousClient(app)];
      for (const who of USER_FUNCTIONS.includes(String(name)) ? visitors : [...visitors, client]) {
        const { error } = await who.schema(String(schema)).rpc(String(name), values);
        const expected = schema === "public" ? "42501" : "PGRST106";
        assertEquals(error?.code, expected, `${schema}.${name}: ${JSON.stringify(error)}`);
      }
    }
  });
});

Deno.test("F04 a user cannot write a balance, an entry, a price or a state over REST", async () => {
  await byHand({}, async (app) => {
    const customer = await newCustomer(app);
    const videoId = await queued(app, customer);
    const { client, id } = customer;
    const entry = { user_id: id, amount: 1000, kind: "grant", reason: "x", balance_after: 1090 };
    const tries = {
      balance: client.from("users").update({ gem_balance: 1_000_000 }).eq("id", id),
      tier: client.from("users").update({ tier: "premium" }).eq("id", id),
      entry: client.from("gem_entries").insert(entry),
      "entry gone": client.from("gem_entries").delete().eq("user_id", id),
      price: client.from("videos").update({ gem_cost: 0 }).eq("id", videoId),
      state: client.from("videos").update({ status: "failed" }).eq("id", videoId),
      "video gone": client.from("videos").delete().eq("id", videoId),
      "video made": client.from("videos").insert({ user_id: id, title: "x" }),
      catalogue: client.from("rhymes").update({ gem_cost: 0 }).neq("slug", ""),
      progress: client.from("video_progress").delete().eq("user_id", id),
      notice: client.from("notifications").insert({ user_id: id, video_id: videoId }),
    };
    for (const [what, attempt] of Object.entries(tries)) {
      assertEquals((await attempt).error?.code, "42501", what);
    }
    const { data } = await client.from("users").select("gem_balance, tier").single();
    assertEquals(data, { gem_balance: 90, tier: "free" });
  });
});

const OF_THE_APP = ["idempotency-key", "last-event-id"];
/** What supabase-js sends by itself, or when it is told a region or to propagate traces. */
const OF_SUPABASE_JS = [
  ...["authorization", "apikey", "content-type", "x-client-info"],
  ...["x-region", "x-retry-count", "traceparent", "tracestate", "baggage"],
];

Deno.test("each function: other methods are 405 with Allow, a preflight is answered, refusals can be read by browsers", async () => {
  await byHand({}, async (app) => {
    const headers = headersOf(app, await newCustomer(app));
    for (const [name, method] of Object.entries(METHODS)) {
      const preflight = await call(app, name, {
        method: "OPTIONS",
        headers: { origin: "https://app.example.com", "access-control-request-method": "POST" },
      });
      assertEquals(preflight.status, 204, name);
      const allowed = preflight.headers.get("access-control-allow-headers") ?? "";
      for (const header of [...OF_THE_APP, ...OF_SUPABASE_JS]) {
        assert(allowed.split(", ").includes(header), `${name} allows ${header}`);
      }
      for (const other of ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
        if (method.split(", ").includes(other)) continue;
        const refused = await call(app, name, { method: other, headers });
        assertEquals([refused.status, refused.body["code"]], [405, "method_not_allowed"], name);
        assertEquals(refused.headers.get("allow"), method);
        assertEquals(refused.headers.get("access-control-allow-origin"), "*");
      }
    }
  });
});

/** Every table with rows a client or an operator may come to see, as text. */
async function allRows(app: AppStack): Promise<Record<string, string>> {
  const tables = await app.db.query(
    `select format('%I.%I', table_schema, table_name) as name
     from information_schema.tables
     where table_schema in ('public', 'app', 'pgboss', 'cron', 'net', 'storage', 'auth')
       and table_type = 'BASE TABLE'`,
  );
  const all: Record<string, string> = {};
  for (const { name } of tables) {
    const [row] = await app.db.query(
      `select coalesce(string_agg(t::text, e'\\n'), '') as text from ${name} t`,
    );
    all[String(name)] = String(row?.["text"]);
  }
  return all;
}

/** Fails where one of the secrets can be read. */
function assertNowhere(texts: Record<string, string>, secrets: Record<string, string>) {
  for (const [secret, value] of Object.entries(secrets)) {
    assert(value.length >= 12, `${secret} is too short to be looked for`);
    for (const [place, text] of Object.entries(texts)) {
      assert(!text.includes(value), `${secret} is in ${place}`);
    }
  }
}

/**
 * A video at another provider, which refuses our key and then fails the task with words that quote it.
 */
async function failedAt(
  app: HandStack,
  customer: Customer,
  provider: "runway" | "kie",
): Promise<void> {
  const { sandbox, apiKey } = app.providers[provider];
  if (sandbox === null) throw new Error("The sandbox is missing");
  const { status } = await call(app, "queue-video", {
    headers: headersOf(app, customer),
    body: JSON.stringify({ kind: "prompt", prompt: "A fox runs over a hill", provider }),
  });
  assertEquals(status, 201);
  sandbox.control.configure({ unauthorized: { next: 1 } });
  await work(app, "submit-videos");
  await passTime(app.db, "10 minutes");
  await work(app, "submit-videos");
  const [task] = sandbox.control.state().tasks;
  const id = task !== undefined && "taskId" in task ? task.taskId : task?.id;
  sandbox.control.fail(String(id), undefined, `No video for key ${apiKey}`);
  await polled(app);
}

/** A phone and a browser of a customer, by which notices arrive. */
async function addDevices({ client }: Customer, { control }: NotifySandbox): Promise<void> {
  const { endpoint, keys } = control.subscribe();
  const browser = { p_p256dh: keys.p256dh, p_auth: keys.auth };
  const devices = [
    { p_kind: "fcm", p_address: "phone-1", p_platform: "android" },
    { p_kind: "web_push", p_address: endpoint, p_platform: "web", ...browser },
  ];
  for (const device of devices) {
    assertEquals((await client.rpc("register_device", device)).error, null);
  }
}

/** What the functions sign notices with, without the words around it. */
function notifySecrets(env: Readonly<Record<string, string>>): Record<string, string> {
  const account = JSON.parse(env["FCM_SERVICE_ACCOUNT"] ?? "{}");
  const bare = (name: string) => (env[name] ?? "").replace("whsec_", "");
  return {
    "the key of Google's service account": String(account.private_key).split("\n")[3] ?? "",
    "an access token of FCM": "ya29.sandbox-1",
    "the VAPID key": bare("WEB_PUSH_PRIVATE_KEY"),
    "the backend's secret": bare("APP_WEBHOOK_SECRET"),
    "the backend's secret until now": bare("APP_WEBHOOK_SECRET_PREVIOUS"),
  };
}

Deno.test("F25 canary: no secret is in any answer, row or log line of a video made, failed, cancelled and refused", async () => {
  const password = "canary-of-the-database";
  const apiKey = "canary-of-runware";
  const functionsKeys = {
    KIE_WEBHOOK_HMAC_KEY: "canary-of-kie-callbacks",
    APP_WEBHOOK_SECRET_PREVIOUS: `whsec_${btoa("canary of the app's backend, until now")}`,
  };
  const options = {
    webhooks: "on",
    runware: { apiKey, knobs: { manual: true } },
    runway: { apiKey: "canary-of-runway", knobs: { manual: true, pendingMs: 0 } },
    kie: { apiKey: "canary-of-kie", knobs: { manual: true, queueMs: 0, hiddenMs: 0 } },
    functionsEnv: functionsKeys,
  } as const;
  await byHand(options, async (app) => {
    const { notify } = app;
    if (notify === null) throw new Error("The sandbox is missing");
    const answers: unknown[] = [];
    const keep = async (asked: ReturnType<typeof call>) => {
      const answer = await asked;
      answers.push(answer.body, [...answer.headers]);
      return answer;
    };
    const customer = await newCustomer(app);
    await addDevices(customer, notify);
    const headers = headersOf(app, customer);
    const made = await queued(app, customer);
    const madeJob = await delivered(app, made);
    await app.sandbox.control.webhook(madeJob);
    await stored(app);
    // A provider that refuses our key, and one that quotes it in what it answers.
    app.sandbox.control.configure({ invalidApiKey: { next: 1 }, webhookLost: 1 });
    const failed = await queued(app, customer);
    await work(app, "submit-videos");
    await passTime(app.db, "10 minutes");
    const failedJob = await submitted(app, failed);
    app.sandbox.control.fail(failedJob, "invalidPositivePrompt", `No prompt for key ${apiKey}`);
    await polled(app);
    for (const provider of ["runway", "kie"] as const) await failedAt(app, customer, provider);
    for (const place of ["token", "fcm", "web_push", "webhook"] as const) {
      notify.control.fail(place, { fault: "status", status: 403 });
    }
    const cancelled = JSON.stringify({ video_id: await queued(app, customer) });
    await keep(call(app, "cancel-video", { headers, body: cancelled }));
    await keep(queue(app, customer, { rhyme_id: DIDDLE, model: "?" }));
    const ids = `video_id=${made}&video_id=${failed}`;
    await keep(call(app, `video-status?${ids}`, { method: "GET", headers }));
    await keep(call(app, "health", { method: "GET", headers: { apikey: app.secretKey } }));
    await keep(call(app, "health", { method: "GET", headers }));
    await keep(call(app, `runware-webhook?job=${madeJob}&token=${"0".repeat(64)}`));
    const workers = ["submit-videos", "poll-videos", "store-videos", "notify-users", "maintain"];
    for (const name of [...workers, ...Array(3).fill("notify-users")]) {
      await keep(call(app, `${name}?wait=1`, { headers: { apikey: app.cronKey } }));
      await passTime(app.db, "1 hour");
    }
    const places = new Set(notify.control.received().map(({ place }) => place));
    assertEquals([...places].toSorted(), ["fcm", "web_push", "webhook"], "all channels were used");
    // A worker that cannot reach the database must not log how it tried.
    const unreachable = new URL(app.databaseUrl);
    Object.assign(unreachable, { port: "9", password });
    await app.functions.restart({ ...await functionsEnv(app), SUPABASE_DB_URL: unreachable.href });
    const broken = await keep(call(app, "maintain", { headers: { apikey: app.cronKey } }));
    const { request_id: _id, ...told } = broken.body;
    const sentence = "Something went wrong on our side";
    assertEquals(
      [broken.status, told],
      [500, { success: false, error: sentence, code: "internal_error" }],
    );

    const { webhookSecret, signingKey, innerSecret, storageSecret } = await keysOf(app);
    const secrets = {
      "the cron key": app.cronKey,
      "the secret key": app.secretKey,
      "the webhook secret": webhookSecret,
      "the webhook token of a job": await tokenOf(app, madeJob),
      "the webhook token of a failed job": await tokenOf(app, failedJob),
      "the signing key": String(signingKey["d"]),
      "the inner secret": innerSecret,
      "the storage secret": storageSecret,
      "the Runware key": apiKey,
      "the Runway key": options.runway.apiKey,
      "the KIE key": options.kie.apiKey,
      "the key of KIE's callbacks": functionsKeys.KIE_WEBHOOK_HMAC_KEY,
      ...notifySecrets({ ...notify.env, ...functionsKeys }),
      "the database password": password,
    };
    const log = await Deno.readTextFile(`${app.dataDir}/stack.log`);
    assert(log.includes(madeJob) && log.includes('"status":500'), "the log holds what happened");
    const { "net.http_request_queue": _, ...rows } = await allRows(app);
    assert(rows["public.videos"]?.includes(made), "the rows hold what happened");
    assertNowhere({ ...rows, "the log": log, "an answer": JSON.stringify(answers) }, secrets);
    // The doorbell's own queue carries the cron key, where no client can read it.
    const [readers] = await app.db.query(
      `select count(*)::int as value from unnest(array['anon', 'authenticated']) r (role)
       where has_table_privilege(r.role, 'net.http_request_queue', 'select')`,
    );
    assertEquals(readers?.["value"], 0);
  });
});
