import { assert, assertEquals, assertMatch } from "@std/assert";
import { z } from "zod";
import type { NotifySandbox, Subscription } from "../../local/sandbox/notify.ts";
import {
  type AppStack,
  type Customer,
  newCustomer,
  over,
  queued,
  withApp,
  work,
} from "../support/app.ts";
import { until } from "../support/until.ts";
import { byHand, delivered, functionsEnv, type HandStack, stored } from "../support/by_hand.ts";
import { failAttempt, passTime } from "../support/fixtures.ts";

Deno.test("a finished video is told on the phone, in the browser and to the backend, once each", async () => {
  await withDevices(async ({ app, notify, customer, subscription }) => {
    const videoId = await finished(app, customer);
    await app.db.query("update public.videos set thumbnail_path = null");
    await Promise.all([notified(app), notified(app)]);
    await notified(app);
    const title = "Your video is ready";
    assertEquals(
      notify.control.received().map(({ place, to, title, data }) => ({
        place,
        to,
        title,
        videoId: data["video_id"],
        action: data["action"],
      })).sort((a, b) => a.place.localeCompare(b.place)),
      [
        { place: "fcm", to: "phone-1", title, videoId, action: "view_video" },
        { place: "web_push", to: subscription.endpoint, title, videoId, action: "view_video" },
        { place: "webhook", to: "app-backend", title, videoId, action: "view_video" },
      ],
    );
    assertEquals(await outcomes(app), ["fcm sent", "web_push sent", "webhook sent"]);
  });
});

Deno.test("the picture is a link that works, and none where there is no picture", async () => {
  await withDevices(async ({ app, notify, customer }) => {
    const thumbnail = `${customer.id}/videos/thumb.jpg`;
    for (const path of [`${customer.id}/videos/missing.jpg`, thumbnail]) {
      notify.control.reset();
      const videoId = await finished(app, customer);
      if (path === thumbnail) await putPicture(app, thumbnail);
      await app.db.query("update public.videos set thumbnail_path = $2 where id = $1", [
        videoId,
        path,
      ]);
      await notified(app);
      const images = notify.control.received().map(({ image }) => image);
      assertEquals(images.length, 3);
      for (const image of images) {
        if (path !== thumbnail) assertEquals(image, null);
        else assertEquals((await (await fetch(image ?? "")).text()).length, 4);
      }
    }
  });
});

Deno.test("F39 a child's picture is linked where only the browser can read it, never by Google, Apple or the backend", async () => {
  await withDevices(async ({ app, notify, customer }) => {
    const thumbnail = `${customer.id}/videos/thumb.jpg`;
    await putPicture(app, thumbnail);
    const videoId = await finished(app, customer);
    await app.db.query(
      "update public.videos set thumbnail_path = $2, avatar_path = $3 where id = $1",
      [videoId, thumbnail, `${customer.id}/${customer.childId}.png`],
    );
    await notified(app);
    const received = notify.control.received();
    const withPicture = received.filter(({ image }) => image !== null).map(({ place }) => place);
    assertEquals([received.length, withPicture], [3, ["web_push"]]);
  });
});

Deno.test("a failed video is told too, in our words", async () => {
  await withDevices(async ({ app, notify, customer }) => {
    const videoId = await queued(app, customer);
    await work(app, "submit-videos");
    const [attempt] = await app.db.query("select id from public.video_jobs where video_id = $1", [
      videoId,
    ]);
    await failAttempt(app.db, z.uuid().parse(attempt?.["id"]), { final: true });
    await notified(app);
    const shown = notify.control.shown();
    assertEquals(shown.map(({ title }) => title), Array(3).fill("Your video could not be made"));
    assert(shown.every(({ body }) => body.startsWith("Something went wrong")));
  });
});

Deno.test("an answer that is lost, a 503 and a 429: sent again, and shown once", async () => {
  await withDevices(async ({ app, notify, customer }) => {
    await finished(app, customer);
    const { control } = notify;
    for (const at of ["fcm", "web_push", "webhook"] as const) {
      control.fail(at, { fault: "lostAnswer" });
      control.fail(at, { fault: "status", status: 503 });
      control.fail(at, { fault: "status", status: 429, retryAfter: "120" });
    }
    for (let round = 0; round < 4; round++) await notified(app, "1 minute");
    assertEquals(control.calls("fcm"), 3, "not before the two minutes it asked for are over");
    await notified(app, "10 minutes");
    assertEquals(control.received().length, 6, "what was taken without a word is sent again");
    assertEquals(control.shown().length, 3);
    assertEquals(await outcomes(app), ["fcm sent", "web_push sent", "webhook sent"]);
    assertEquals(control.tokensGranted(), 1, "the access token is kept");
  });
});

Deno.test("addresses that are dead: failed at once, and the devices are gone", async () => {
  await withDevices(async ({ app, notify, customer, subscription }) => {
    await register(customer, { p_kind: "fcm", p_address: "malformed", p_platform: "ios" });
    notify.control.unregister("phone-1");
    notify.control.unsubscribe(subscription.endpoint);
    await finished(app, customer);
    await notified(app);
    assertEquals(await app.db.query("select * from public.devices"), []);
    assertEquals(await outcomes(app), [
      "fcm failed invalid_token",
      "fcm failed unregistered",
      "web_push failed http_410",
      "webhook sent",
    ]);
    await notified(app, "1 hour");
    assertEquals(notify.control.calls("fcm"), 2);
  });
});

Deno.test("a phone that FCM knows from another project is kept: it may be our account that is the wrong one", async () => {
  await withDevices(async ({ app, notify, customer }) => {
    notify.control.registerElsewhere("phone-1");
    await finished(app, customer);
    await notified(app);
    assertEquals(await outcomes(app), ["fcm failed other_sender", "web_push sent", "webhook sent"]);
    assertEquals((await app.db.query("select id from public.devices")).length, 2);
    await notified(app, "1 hour");
    assertEquals(notify.control.calls("fcm"), 1);
  });
});

Deno.test("a service that never answers well is given up visibly, one that answers too late is asked again", async () => {
  await withDevices(async ({ app, notify, customer }) => {
    await app.db.query("update app.settings set notify_attempts = 3");
    notify.control.fail("web_push", { fault: "status", status: 500 }, 100);
    notify.control.fail("webhook", { fault: "slow", milliseconds: 60_000 });
    await finished(app, customer);
    await notified(app);
    assertEquals(await outcomes(app), [
      "fcm sent",
      "web_push pending http_500",
      "webhook pending no_answer",
    ]);
    for (let round = 0; round < 4; round++) await notified(app, "1 hour");
    assertEquals(await outcomes(app), ["fcm sent", "web_push failed http_500", "webhook sent"]);
    assertEquals(notify.control.calls("web_push"), 3);
    assertEquals(notify.control.shown().filter(({ place }) => place === "webhook").length, 1);
  });
});

Deno.test("an access token that Google takes back is replaced", async () => {
  await withDevices(async ({ app, notify, customer }) => {
    await finished(app, customer);
    await notified(app);
    notify.control.revokeTokens();
    await finished(app, customer);
    await notified(app);
    await notified(app, "1 minute");
    assertEquals(notify.control.tokensGranted(), 2);
    assertEquals(notify.control.received().length, 6);
  });
});

Deno.test("channels that are not set up are skipped, and the video is none the worse", async () => {
  await withDevices(async ({ app, notify, customer }) => {
    const env = await functionsEnv(app);
    await app.functions.restart(
      Object.fromEntries(
        Object.entries(env).filter(([name]) => !/^(FCM|WEB_PUSH|APP_WEBHOOK)_/.test(name)),
      ),
    );
    await finished(app, customer);
    await notified(app);
    assertEquals(await outcomes(app), [
      "fcm skipped not_set_up",
      "web_push skipped not_set_up",
      "webhook skipped not_set_up",
    ]);
    await notified(app, "1 hour");
    assertEquals(notify.control.received(), []);
  });
});

Deno.test("an endpoint outside the known push services is never called", async () => {
  await withDevices(async ({ app, customer }) => {
    const listener = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
      throw new Error("It was called");
    });
    await app.db.query("delete from public.devices");
    const { keys } = app.notify?.control.subscribe() ?? {};
    const p_address = `http://127.0.0.1:${listener.addr.port}/push`;
    const more = { p_p256dh: keys?.p256dh, p_auth: keys?.auth };
    await register(customer, { p_kind: "web_push", p_address, p_platform: "web", ...more });
    await finished(app, customer);
    await notified(app);
    assertEquals(await outcomes(app), ["web_push failed endpoint_not_allowed", "webhook sent"]);
    const kept = await app.db.query("select address from public.devices");
    assertEquals(kept, [{ address: p_address }], "it may be our list that is too short");
    await listener.shutdown();
  });
});

Deno.test("nobody registers for another, sees another's devices, or a browser's secret", async () => {
  await withDevices(async ({ app, customer }) => {
    const other = await newCustomer(app, { gems: 0 });
    assertEquals((await other.client.from("devices").select("id")).data, []);
    const own = await customer.client.from("devices").select("id, kind, platform").order("kind");
    assertEquals(own.data?.map(({ kind }) => kind), ["fcm", "web_push"]);
    const secret = await customer.client.from("devices").select("auth");
    assertEquals(secret.error?.code, "42501");
    const inserted = await other.client.from("devices")
      .insert({ user_id: customer.id, kind: "fcm", address: "x", platform: "web" });
    assertEquals(inserted.error?.code, "42501");
    await other.client.from("devices").delete().eq("user_id", customer.id);
    assertEquals((await app.db.query("select id from public.devices")).length, 2);
    const bad = await other.client.rpc("register_device", {
      p_kind: "web_push",
      p_address: "javascript:alert(1)",
      p_platform: "web",
      p_p256dh: "x",
      p_auth: "y",
    });
    assertEquals(bad.error?.code, "GM008");
    assertMatch(bad.error?.message ?? "", /https endpoint and both keys/);
  });
});

Deno.test("every webhook of the provider doubled, and all workers rung by it: told once at each place", async () => {
  await withApp({ cron: false, runware: { knobs: { webhookDoubled: 1 } } }, async (app) => {
    const { notify } = app;
    if (notify === null) throw new Error("The sandbox is missing");
    const customer = await newCustomer(app);
    await register(customer, { p_kind: "fcm", p_address: "phone-1", p_platform: "android" });
    const videoIds = [await queued(app, customer), await queued(app, customer)];
    assertEquals(await over(app, videoIds), ["completed", "completed"]);
    await until("all is told", async () => {
      const told = await outcomes(app);
      return told.length === 4 && told.every((one) => one.endsWith("sent")) ? told : undefined;
    });
    assertEquals(notify.control.received().length, 4);
    assertEquals(notify.control.shown().length, 4);
  });
});

interface Scene {
  readonly app: HandStack;
  readonly notify: NotifySandbox;
  readonly customer: Customer;
  readonly subscription: Subscription;
}

/** A customer with a phone and a browser. */
function withDevices(work: (scene: Scene) => Promise<void>): Promise<void> {
  return byHand({}, async (app) => {
    const { notify } = app;
    if (notify === null) throw new Error("The sandbox is missing");
    const customer = await newCustomer(app);
    await register(customer, {
      p_kind: "fcm",
      p_address: "phone-1",
      p_platform: "android",
    });
    const subscription = notify.control.subscribe();
    await register(customer, {
      p_kind: "web_push",
      p_address: subscription.endpoint,
      p_platform: "web",
      p_p256dh: subscription.keys.p256dh,
      p_auth: subscription.keys.auth,
    });
    await work({ app, notify, customer, subscription });
  });
}

async function register({ client }: Customer, fields: object): Promise<void> {
  const { error } = await client.rpc("register_device", fields);
  if (error) throw new Error(error.message);
}

async function finished(app: HandStack, customer: Customer): Promise<string> {
  const videoId = await queued(app, customer);
  await delivered(app, videoId);
  await stored(app);
  return videoId;
}

/** Sends what is due once so much time has passed. */
async function notified(app: HandStack, pass?: string): Promise<void> {
  if (pass !== undefined) await passTime(app.db, pass);
  await work(app, "notify-users");
}

async function outcomes(app: AppStack): Promise<string[]> {
  const rows = await app.db.query(
    `select concat_ws(' ', channel, status, error_code) as told from public.notification_deliveries order by 1`,
  );
  return rows.map(({ told }) => String(told));
}

async function putPicture(app: HandStack, path: string): Promise<void> {
  const response = await fetch(`${app.supabaseUrl}/storage/v1/object/videos/${path}`, {
    method: "POST",
    headers: {
      apikey: app.secretKey,
      authorization: `Bearer ${app.secretKey}`,
      "content-type": "image/jpeg",
    },
    body: "jpeg",
  });
  if (!response.ok) throw new Error(await response.text());
  await response.body?.cancel();
}
