import { assert, assertEquals, assertThrows } from "@std/assert";
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";
import webPush from "web-push";
import { ConfigError } from "../../shared/config.ts";
import type { Message } from "../../shared/notify/channel.ts";
import { createChannels } from "../../shared/notify/channels.ts";
import { appWebhookConfig } from "../../shared/notify/config.ts";
import { fcmBody, fcmOutcome } from "../../shared/notify/fcm.ts";
import { outcomeOf, post } from "../../shared/notify/request.ts";
import { webhookChannel } from "../../shared/notify/webhook.ts";
import { PUSH_HOSTS, webPushChannel } from "../../shared/notify/web_push.ts";
import { startNotifySandbox } from "../../local/sandbox/notify.ts";

const message: Message = {
  id: "0b9d0b7e-0000-4000-8000-000000000001",
  kind: "video_ready",
  userId: "0b9d0b7e-0000-4000-8000-000000000002",
  videoId: "0b9d0b7e-0000-4000-8000-000000000003",
  title: "Your video is ready",
  body: "Hickory Dickory Dock, für Zoë 🎉",
  imageUrl: null,
  data: { video_id: "0b9d0b7e-0000-4000-8000-000000000003", action: "view_video" },
  createdAt: new Date("2026-11-01T00:00:00Z"),
  address: null,
  keys: null,
};
const answer = (status: number, text = "", waitSeconds?: number) => ({ status, text, waitSeconds });
const fcmError = (message: string, ...details: unknown[]) =>
  JSON.stringify({ error: { message, details } });

Deno.test("the standardwebhooks package verifies what we sign, by the new secret and by the previous one", async () => {
  const secrets = ["A", "B"].map((letter) => `whsec_${btoa(letter.repeat(32))}`);
  const got: { body: string; headers: Record<string, string> }[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    got.push({ body: await request.text(), headers: Object.fromEntries(request.headers) });
    return new Response(null, { status: 204 });
  });
  const env = new Map([
    ["APP_WEBHOOK_URL", `http://127.0.0.1:${server.addr.port}/`],
    ["APP_WEBHOOK_SECRET", secrets[0] ?? ""],
    ["APP_WEBHOOK_SECRET_PREVIOUS", secrets[1] ?? ""],
  ]);
  const config = appWebhookConfig((name) => env.get(name));
  if (config === undefined) throw new Error("Not set up");
  const send = webhookChannel(config);
  assertEquals([await send(message), await send(message)], [{ outcome: "sent" }, {
    outcome: "sent",
  }]);
  await server.shutdown();
  for (const { body, headers } of got) {
    assertEquals(headers["webhook-id"], message.id);
    for (const secret of secrets) {
      const verified = new Webhook(secret).verify(body, headers);
      assertEquals(verified, {
        type: "video.ready",
        timestamp: "2026-11-01T00:00:00.000Z",
        data: {
          ...message.data,
          user_id: message.userId,
          title: message.title,
          body: message.body,
          image_url: null,
        },
      });
    }
    const stranger = new Webhook(btoa("C".repeat(32)));
    assertThrows(() => stranger.verify(body, headers));
    assertThrows(() => new Webhook(secrets[0] ?? "").verify(`${body} `, headers));
  }
});

Deno.test("a browser reads what web-push encrypted for it, and another one does not", async () => {
  const sandbox = await startNotifySandbox();
  try {
    const send = createChannels((name) => sandbox.env[name]).get("web_push");
    const [mine, other] = [sandbox.control.subscribe(), sandbox.control.subscribe()];
    const to = { ...message, address: mine.endpoint };
    assertEquals(await send?.({ ...to, keys: mine.keys }), { outcome: "sent" });
    assertEquals(sandbox.control.received().map(({ body, sameAs }) => [body, sameAs]), [
      [message.body, `video_ready:${message.videoId}`],
    ]);
    // Taken, since a push service cannot look into it; but nobody reads it.
    assertEquals(await send?.({ ...to, keys: other.keys }), { outcome: "sent" });
    assertEquals(sandbox.control.received().length, 1);
    const noPoint = { p256dh: `B${"A".repeat(86)}`, auth: mine.keys.auth };
    assertEquals(await send?.({ ...to, keys: noPoint }), { outcome: "gone", code: "invalid_keys" });
  } finally {
    await sandbox.close();
  }
});

Deno.test("an endpoint that our list does not allow is not called, and the browser keeps its subscription", async () => {
  const sandbox = await startNotifySandbox();
  try {
    const { endpoint, keys } = sandbox.control.subscribe();
    const vapid = { ...webPush.generateVAPIDKeys(), subject: "mailto:a@example.com" };
    const strangers = [
      endpoint,
      "https://push.example.com/send/x",
      "http://fcm.googleapis.com/fcm/send/x",
      "https://fcm.googleapis.com:8443/fcm/send/x",
      "https://me@fcm.googleapis.com/fcm/send/x",
      "https://:secret@fcm.googleapis.com/fcm/send/x",
      "https://evilnotify.windows.com/w/?token=x",
      "https://notify.windows.com/w/?token=x",
      "https://fcm.googleapis.com.example.com/fcm/send/x",
      "nowhere",
    ];
    for (const address of strangers) {
      const sent = await webPushChannel(vapid)({ ...message, address, keys });
      assertEquals(sent, { outcome: "refused", code: "endpoint_not_allowed" }, address);
    }
    assertEquals(sandbox.control.calls("web_push"), 0);
  } finally {
    await sandbox.close();
  }
  assert(new Set<string>(PUSH_HOSTS).has("jmt17.google.com"), "Chromium that is not Google's");
});

Deno.test("settings of ours that cannot be used are no fault of the device: it is kept, and tried later", async () => {
  const sandbox = await startNotifySandbox();
  try {
    const { endpoint, keys } = sandbox.control.subscribe();
    const hosts = [new URL(sandbox.url).host];
    const vapid = { ...webPush.generateVAPIDKeys(), subject: "mailto:a@example.com", hosts };
    const wrong = [
      { ...vapid, subject: "https://my app.example" },
      { ...vapid, privateKey: "_".repeat(43) },
    ];
    for (const options of wrong) {
      const sent = await webPushChannel(options)({ ...message, address: endpoint, keys });
      assertEquals(sent, { outcome: "later", code: "vapid_unusable" });
    }
    assertEquals(sandbox.control.calls("web_push"), 0);
  } finally {
    await sandbox.close();
  }
});

Deno.test("an answer whose body is cut has said all the same what became of the message", async () => {
  const server = createServer((request, response) => {
    const status = Number(request.url?.slice(1));
    response.writeHead(status, { "content-length": 1_000, "retry-after": "7" });
    response.write("half", () => response.socket?.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : "";
  for (const status of [200, 410, 503]) {
    const got = await post(`http://127.0.0.1:${port}/${status}`, { headers: {}, body: "{}" });
    assertEquals(got, { status, text: "", waitSeconds: 7 });
  }
  await new Promise((resolve) => server.close(resolve));
});

Deno.test("what FCM says about the token removes the device; what it says about the message does not", () => {
  const [unregistered, mismatch] = ["UNREGISTERED", "SENDER_ID_MISMATCH"].map((errorCode) =>
    fcmError("", { errorCode })
  );
  const inToken = fcmError("", { fieldViolations: [{ field: "message.token" }] });
  const inData = fcmError("The registration token is fine", {
    fieldViolations: [{ field: "message.data[0].value" }],
  });
  const cases = [
    [answer(404, unregistered), "gone"],
    [answer(403, mismatch), "refused"],
    [answer(400, inToken), "gone"],
    [answer(400, fcmError("The registration token is not a valid FCM registration token")), "gone"],
    [answer(400, inData), "refused"],
    [answer(400, "<html>"), "refused"],
    [answer(404, "<html>no such project"), "refused"],
    [answer(401, ""), "later"],
    [answer(403, fcmError("Permission denied")), "later"],
    [answer(500, "<html>"), "later"],
    [answer(0), "later"],
    [answer(200, ""), "sent"],
  ] as const;
  for (const [given, due] of cases) {
    assertEquals(fcmOutcome(given).outcome, due, JSON.stringify(given));
  }
  const refused = { outcome: "refused", code: "other_sender" } as const;
  assertEquals(fcmOutcome(answer(403, mismatch)), refused, "the account may be another project's");
  assertEquals(fcmOutcome(answer(429)), { outcome: "later", code: "http_429", waitSeconds: 60 });
  assertEquals(fcmOutcome(answer(429, "", 7)), {
    outcome: "later",
    code: "http_429",
    waitSeconds: 7,
  });
});

Deno.test("sent twice, it is one to the phone: the same tag and collapse id, within Apple's 64 bytes", () => {
  const text = JSON.stringify(fcmBody({ ...message, address: "token" }, 0));
  const tag = `video_ready:${message.videoId}`;
  assertEquals(text.split(`"${tag}"`).length - 1, 2);
  assert(!text.includes("collapse_key"), "of which FCM keeps four");
  assert(tag.length <= 64);
  assert(!text.includes("image"));
  const pictured = fcmBody({ ...message, imageUrl: "https://x.example/y.jpg" }, 0);
  assertEquals(JSON.stringify(pictured).split("https://x.example/y.jpg").length - 1, 2);
});

Deno.test("a redirect is no answer: it is not followed, and tried again later", () => {
  assertEquals(outcomeOf(answer(302)).outcome, "later");
});

Deno.test("what is there but cannot be used stops the start, and is not quoted", () => {
  const secret = "-----BEGIN PRIVATE KEY-----";
  const account = { project_id: "p", client_email: "a@b.c", private_key: secret };
  const { publicKey, privateKey } = webPush.generateVAPIDKeys();
  const pair = { WEB_PUSH_PUBLIC_KEY: publicKey, WEB_PUSH_PRIVATE_KEY: privateKey };
  const noKey = "_".repeat(43);
  const cases: [string, Record<string, string>][] = [
    ["FCM_SERVICE_ACCOUNT", { FCM_SERVICE_ACCOUNT: `{"private_key":"${secret}"` }],
    ["FCM_SERVICE_ACCOUNT", { FCM_SERVICE_ACCOUNT: JSON.stringify(account) }],
    ["FCM_SERVICE_ACCOUNT", {
      FCM_SERVICE_ACCOUNT: JSON.stringify({ ...account, token_uri: "http://example.com/token" }),
    }],
    ["WEB_PUSH_PUBLIC_KEY", { WEB_PUSH_PRIVATE_KEY: "A".repeat(43) }],
    ["WEB_PUSH_PRIVATE_KEY", { WEB_PUSH_PUBLIC_KEY: "A".repeat(87) }],
    ["WEB_PUSH_SUBJECT", {
      WEB_PUSH_PUBLIC_KEY: "A".repeat(87),
      WEB_PUSH_PRIVATE_KEY: "A".repeat(43),
      WEB_PUSH_SUBJECT: "me",
    }],
    ["WEB_PUSH_SUBJECT", { ...pair, WEB_PUSH_SUBJECT: "https://my app.example" }],
    ["WEB_PUSH_PRIVATE_KEY", {
      ...pair,
      WEB_PUSH_PRIVATE_KEY: noKey,
      WEB_PUSH_SUBJECT: "mailto:a@example.com",
    }],
    ["APP_WEBHOOK_SECRET", { APP_WEBHOOK_URL: "https://example.com" }],
    ["APP_WEBHOOK_SECRET", {
      APP_WEBHOOK_URL: "https://example.com",
      APP_WEBHOOK_SECRET: "whsec_c2hvcnQ=",
    }],
    ["APP_WEBHOOK_URL", {
      APP_WEBHOOK_URL: "http://example.com",
      APP_WEBHOOK_SECRET: `whsec_${btoa("A".repeat(32))}`,
    }],
  ];
  for (const [variable, env] of cases) {
    const error = assertThrows(() => createChannels((name) => env[name]), ConfigError);
    assertEquals(error.variable, variable);
    for (const quoted of ["PRIVATE KEY", "my app", noKey]) assert(!error.message.includes(quoted));
  }
  assertEquals(createChannels(() => undefined).size, 0);
});
