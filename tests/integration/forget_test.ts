import { assert, assertEquals } from "@std/assert";
import { decodeJwt } from "jose";
import { z } from "zod";
import {
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
  rowCounts,
  stored,
  submitted,
} from "../support/by_hand.ts";
import { CONSENT_TEXT } from "../support/avatars.ts";
import { balanceOf, value } from "../support/fixtures.ts";
import { fieldsOf } from "../support/refusals.ts";
import { adminClient, anonymousClient } from "../support/users.ts";

/** The smallest PNG there is: what matters is its type. */
const PICTURE = new Blob([new Uint8Array([0x89, 0x50, 0x4e, 0x47])], { type: "image/png" });

/** The parent uploads a picture as the app does. Answers its path. */
async function upload(customer: Customer): Promise<string> {
  const path = `${customer.id}/${customer.childId}.png`;
  const put = await customer.client.storage.from("avatars").upload(path, PICTURE);
  assertEquals(put.error, null);
  const set = customer.client.from("children").update({ avatar_path: path });
  assertEquals((await set.eq("id", customer.childId)).error, null);
  return path;
}

async function agree({ client, childId }: Customer): Promise<void> {
  const { error } = await client.rpc("give_consent", {
    p_child_id: childId,
    p_text_id: CONSENT_TEXT,
  });
  assertEquals(error, null);
}

/** Lets functions talk to the sandbox through our hands, and keeps what they say. */
async function listening(app: HandStack, work: (said: string[]) => Promise<void>): Promise<void> {
  const said: string[] = [];
  const relay = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const body = await request.text();
    said.push(body);
    const { method, headers } = request;
    return await fetch(app.sandbox.url, { method, headers, body });
  });
  try {
    const RUNWARE_URL = `http://127.0.0.1:${relay.addr.port}/v1`;
    await app.functions.restart({ ...await functionsEnv(app), RUNWARE_URL });
    await work(said);
  } finally {
    await relay.shutdown();
  }
}

Deno.test("F39 no consent, no picture: 403 and nothing written; with it the provider gets a link to it that others cannot guess", async () => {
  await byHand({}, async (app) => {
    const customer = await newCustomer(app);
    const path = await upload(customer);
    const before = await rowCounts(app);
    const refused = await queue(app, customer);
    assertEquals([refused.status, refused.body["code"]], [403, "consent_required"]);
    assertEquals(await rowCounts(app), before);

    await agree(customer);
    const link = await customer.client.storage.from("avatars").createSignedUrl(path, 60);
    const answer = await queue(app, customer, { avatar_url: link.data?.signedUrl, key: "tap" });
    assertEquals(answer.status, 201, JSON.stringify(answer.body));
    const anew = await customer.client.storage.from("avatars").createSignedUrl(path, 90);
    const again = await queue(app, customer, { avatar_url: anew.data?.signedUrl, key: "tap" });
    assertEquals(again.body["video_id"], answer.body["video_id"], "the same picture, signed anew");
    let frame = "";
    await listening(app, async (said) => {
      await submitted(app, String(answer.body["video_id"]));
      frame = /https?:[^"]*\/object\/sign\/avatars\/[^"]*/.exec(said.join())?.[0] ?? "";
    });
    assert(frame.startsWith(app.supabaseUrl) && frame.includes(path), frame);
    assertEquals((await (await fetch(frame)).blob()).size, PICTURE.size);
    const { iat = 0, exp = 0 } = decodeJwt(new URL(frame).searchParams.get("token") ?? "");
    assertEquals(exp - iat, 3_600, "and that lives for an hour");
    const guessed = await fetch(frame.replace(/token=.*/, "token=x"));
    await guessed.body?.cancel();
    assertEquals(guessed.status, 400);
  });
});

Deno.test("F23 F39 an avatar_url that is not this child's picture in our Storage is 422 by its name, and nothing is written", async () => {
  await byHand({}, async (app) => {
    const [customer, other] = [await newCustomer(app), await newCustomer(app)];
    const theirs = await upload(other);
    await agree(other);
    await upload(customer);
    await agree(customer);
    const base = `${app.supabaseUrl}/storage/v1/object`;
    const own = `${customer.id}/${customer.childId}.png`;
    const before = await rowCounts(app);
    const urls = [
      `${base}/sign/avatars/${theirs}?token=x`,
      `${base}/sign/videos/${own}`,
      `${base}/sign/avatars/${customer.id}/../${theirs}`,
      `${base}/sign/avatars/${own}/../../${theirs}`,
      `${base}/sign/avatars/${customer.id}%2f${customer.childId}.png`,
      `https://evil.example.com/storage/v1/object/sign/avatars/${own}`,
      `${app.supabaseUrl}@evil.example.com/storage/v1/object/sign/avatars/${own}`,
      `https://evil.example.com/?${base}/sign/avatars/${own}`,
    ];
    for (const avatar_url of urls) {
      const answer = await queue(app, customer, { avatar_url });
      const what = [answer.status, answer.body["code"], fieldsOf(answer.body["details"])];
      assertEquals(what, [422, "unsupported_option", ["avatar_url"]], avatar_url);
    }
    const gone = await queue(app, customer, {
      avatar_url: `${base}/sign/avatars/${own.replace("png", "jpg")}`,
    });
    assertEquals([gone.status, gone.body["code"]], [404, "not_found"]);
    assertEquals(await rowCounts(app), before);
  });
});

Deno.test("a parent keeps pictures of their own children in the bucket, of a kind and size that is allowed, and sees nobody else's", async () => {
  await byHand({}, async (app) => {
    const [customer, other] = [await newCustomer(app), await newCustomer(app)];
    const path = await upload(customer);
    const bucket = other.client.storage.from("avatars");
    assert((await bucket.download(path)).error, "download");
    assert((await bucket.createSignedUrl(path, 60)).error, "signed URL");
    assert((await bucket.upload(path, PICTURE, { upsert: true })).error, "overwrite");
    assert(
      (await bucket.upload(`${customer.id}/${other.childId}.png`, PICTURE)).error,
      "their folder",
    );
    assert((await bucket.upload(`${other.id}/holiday.png`, PICTURE)).error, "another name");
    const page = new Blob(["<script>"], { type: "text/html" });
    assert((await bucket.upload(`${other.id}/${other.childId}.png`, page)).error, "another type");
    const visitor = anonymousClient(app).storage.from("avatars");
    assert((await visitor.download(path)).error, "a visitor");
  });
});

Deno.test("F39 consent withdrawn, or the picture gone, before it is handed over: nothing is bought and all gems come back", async () => {
  await byHand({}, async (app) => {
    for (const end of ["withdrawn", "gone"] as const) {
      const customer = await newCustomer(app, { gems: 10 });
      const path = await upload(customer);
      await agree(customer);
      const videoId = await queued(app, customer);
      if (end === "withdrawn") {
        await customer.client.rpc("withdraw_consent", { p_child_id: customer.childId });
      } else await customer.client.storage.from("avatars").remove([path]);
      await work(app, "submit-videos");
      const { data } = await customer.client.from("videos").select("status, error_code")
        .eq("id", videoId).single();
      const code = end === "withdrawn" ? "consent_withdrawn" : "invalid_request";
      assertEquals(data, { status: "failed", error_code: code });
      assertEquals(await balanceOf(app.db, { userId: customer.id, childId: "" }), 10);
    }
    assertEquals(app.sandbox.control.state().counts.posts, 0);
  });
});

Deno.test("delete-account: rows gone with the answer, files and sign-in soon after, nothing holds the id any more", async () => {
  await byHand({}, async (app) => {
    const customer = await newCustomer(app);
    const bystander = await newCustomer(app);
    await upload(customer);
    await agree(customer);
    const done = await queued(app, customer);
    await delivered(app, done);
    await stored(app);
    await queued(app, customer);

    const headers = headersOf(app, customer);
    const ask = (body: unknown) =>
      call(app, "delete-account", { headers, body: JSON.stringify(body) });
    for (const body of [{}, { confirm: true }, { confirm: "delete my account!" }]) {
      const refused = await ask(body);
      assertEquals([refused.status, fieldsOf(refused.body["details"])], [400, ["confirm"]]);
    }
    const answer = await ask({ confirm: "delete my account" });
    assertEquals([answer.status, answer.body["success"]], [202, true]);
    const erasure = z.uuid().parse(answer.body["erasure_id"]);
    for (const table of ["users", "children", "videos", "gem_entries", "consents"]) {
      assertEquals((await customer.client.from(table).select("*")).data, [], table);
    }
    const buying = await queue(app, customer);
    assertEquals(buying.status, 404, "a token that still lives buys nothing");
    const uploading = customer.client.storage.from("avatars");
    assert((await uploading.upload(`${customer.id}/${customer.childId}.png`, PICTURE)).error);

    // The first visit deletes; after the time in which a worker might still write, another one closes.
    for (let i = 0; i < 3; i++) {
      await work(app, "maintain");
      await app.db.query(
        "update app.objects_to_delete set written_until = written_until - interval '131 minutes', try_at = now()",
      );
    }
    const finished =
      "select finished_at is not null as value from app.erasure_status where id = $1";
    assertEquals(await value(app.db, finished, [erasure]), true);
    const traces = await app.db.query("select * from app.remains_of($1)", [customer.id]);
    assertEquals(traces, []);
    const files = await adminClient(app).storage.from("videos").list(`${customer.id}/videos`);
    assertEquals(files.data, []);
    const back = await anonymousClient(app).auth.signInWithPassword({
      email: customer.email,
      password: "correct horse",
    });
    assert(back.error, "signed in again");
    assertEquals((await bystander.client.from("children").select("id")).data?.length, 1);
  });
});
