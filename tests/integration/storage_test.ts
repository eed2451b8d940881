import { assertEquals, assertMatch } from "@std/assert";
import { SignJWT } from "jose";
import { join } from "node:path";
import { type TestStack, withStack } from "../support/stack.ts";
import { keysOf } from "../support/tokens.ts";
import { adminClient, anonymousClient, signUp, type TestUser } from "../support/users.ts";

const POLICIES = `
  insert into storage.buckets (id, name, file_size_limit, allowed_mime_types)
  values ('box', 'box', 1000, array['video/*', 'text/plain']);
  create policy box_read on storage.objects for select to authenticated using
    (bucket_id = 'box' and (storage.foldername(name))[1] = (select auth.uid())::text);
  create policy box_write on storage.objects for insert to authenticated with check
    (bucket_id = 'box' and (storage.foldername(name))[1] = (select auth.uid())::text);
  create policy box_change on storage.objects for update to authenticated using
    (bucket_id = 'box' and (storage.foldername(name))[1] = (select auth.uid())::text);
  create policy box_remove on storage.objects for delete to authenticated using
    (bucket_id = 'box' and (storage.foldername(name))[1] = (select auth.uid())::text);`;

const MP4 = { contentType: "video/mp4" };
const BYTES = Uint8Array.from({ length: 600 }, (_, index) => index % 251);

const withBox = (work: (stack: TestStack, ann: TestUser, bob: TestUser) => Promise<void>) => () =>
  withStack({ functions: false, cron: false }, async (stack) => {
    await stack.database.rows(POLICIES);
    await work(stack, await signUp(stack), await signUp(stack));
  });

const boxOf = (user: TestUser) => user.client.storage.from("box");

/** As a stream, so that it is sent in pieces and without a length. */
function streamed(...pieces: Uint8Array<ArrayBuffer>[]): ReadableStream<Uint8Array> {
  return ReadableStream.from(pieces);
}

function codeOf(error: Error | null): unknown {
  return error && "statusCode" in error ? error.statusCode : null;
}

async function filesOf(stack: TestStack): Promise<number> {
  const folder = Deno.readDir(join(stack.dataDir, "storage"));
  return (await Array.fromAsync(folder).catch(() => [])).length;
}

Deno.test(
  "an upload streams in and comes back whole, in part, and through a signed URL",
  withBox(async (_stack, ann) => {
    const path = `${ann.id}/a b (1).mp4`;
    const up = await boxOf(ann).upload(path, streamed(BYTES.slice(0, 250), BYTES.slice(250)), MP4);
    assertEquals(up.data?.path, path);
    const down = await boxOf(ann).download(path);
    assertEquals(await down.data?.bytes(), BYTES);

    const { data: signed } = await boxOf(ann).createSignedUrl(path, 60);
    const url = signed?.signedUrl ?? "";
    const whole = await fetch(url);
    assertEquals(await whole.bytes(), BYTES);
    assertEquals(whole.headers.get("content-type"), "video/mp4");
    for (
      const [range, from, to] of [["bytes=100-199", 100, 200], ["bytes=-5", 595, 600], [
        "bytes=590-",
        590,
        600,
      ]] as const
    ) {
      const part = await fetch(url, { headers: { range } });
      assertEquals(part.status, 206);
      assertEquals(part.headers.get("content-range"), `bytes ${from}-${to - 1}/600`);
      assertEquals(await part.bytes(), BYTES.slice(from, to));
    }
    const info = await boxOf(ann).info(path);
    assertEquals(info.data?.size, 600);
    assertEquals((await boxOf(ann).exists(path)).data, true);
    assertEquals((await boxOf(ann).exists(`${ann.id}/none`)).data, false);
  }),
);

Deno.test(
  "another user cannot read, sign, list, replace, write or remove an object",
  withBox(async (stack, ann, bob) => {
    const path = `${ann.id}/video.mp4`;
    await boxOf(ann).upload(path, BYTES, MP4);
    for (const client of [bob.client, anonymousClient(stack)]) {
      const box = client.storage.from("box");
      assertEquals(codeOf((await box.download(path)).error), "404");
      assertEquals(codeOf((await box.createSignedUrl(path, 60)).error), "404");
      const many = await box.createSignedUrls([path], 60);
      assertEquals(many.data?.map((each) => each.signedUrl), [null]);
      assertEquals((await box.list(ann.id)).data, []);
      assertEquals((await box.list()).data, []);
      assertEquals((await box.remove([path])).data, []);
      const other = `${ann.id}/other.mp4`;
      assertEquals(codeOf((await box.upload(other, BYTES, MP4)).error), "403");
      assertEquals(codeOf((await box.upload(path, BYTES, { ...MP4, upsert: true })).error), "403");
    }
    assertEquals((await boxOf(ann).list(ann.id)).data?.map((file) => file.name), ["video.mp4"]);
    assertEquals(await filesOf(stack), 1);
  }),
);

Deno.test(
  "a second upload is a duplicate unless it may replace; replacing leaves one file",
  withBox(async (stack, ann) => {
    const path = `${ann.id}/video.mp4`;
    await boxOf(ann).upload(path, BYTES, MP4);
    const again = await boxOf(ann).upload(path, BYTES, MP4);
    assertEquals(codeOf(again.error), "409");
    assertEquals(again.error?.message, "The resource already exists");
    const text = new Blob(["new"], { type: "text/plain" });
    assertEquals((await boxOf(ann).upload(path, text, { upsert: true })).error, null);
    assertEquals(await (await boxOf(ann).download(path)).data?.text(), "new");
    assertEquals(await filesOf(stack), 1);
    assertEquals((await boxOf(ann).remove([path])).data?.length, 1);
    assertEquals(await filesOf(stack), 0);
  }),
);

Deno.test(
  "twenty uploads of one name at once make one object and nineteen duplicates",
  withBox(async (stack) => {
    const box = adminClient(stack).storage.from("box");
    const results = await Promise.all(
      Array.from({ length: 20 }, () => box.upload("same.mp4", streamed(BYTES), MP4)),
    );
    assertEquals(results.filter(({ error }) => error === null).length, 1);
    assertEquals(results.filter(({ error }) => codeOf(error) === "409").length, 19);
    assertEquals(await filesOf(stack), 1);
  }),
);

Deno.test(
  "what the bucket does not take is refused and leaves no file",
  withBox(async (stack, ann) => {
    const box = boxOf(ann);
    const large = await box.upload(`${ann.id}/large.mp4`, streamed(BYTES, BYTES), MP4);
    assertEquals(codeOf(large.error), "413");
    const image = await box.upload(`${ann.id}/a.png`, BYTES, { contentType: "image/png" });
    assertEquals(codeOf(image.error), "415");
    const odd = await box.upload(`${ann.id}/a\u0000b.mp4`, BYTES, MP4);
    assertEquals(codeOf(odd.error), "400");
    const lost = await ann.client.storage.from("nowhere").upload("x.mp4", BYTES, MP4);
    assertEquals(codeOf(lost.error), "404");
    assertEquals(await filesOf(stack), 0);
  }),
);

Deno.test(
  "a signed URL opens one object, until it expires, and only as it was signed",
  withBox(async (stack, ann) => {
    const [one, two] = [`${ann.id}/one.mp4`, `${ann.id}/two.mp4`];
    for (const path of [one, two]) await boxOf(ann).upload(path, BYTES, MP4);
    const { data } = await boxOf(ann).createSignedUrl(one, 60);
    const url = data?.signedUrl ?? "";
    const { storageSecret } = await keysOf(stack);
    const expired = await new SignJWT({ url: `box/${one}` }).setProtectedHeader({ alg: "HS256" })
      .setExpirationTime("-1s").sign(new TextEncoder().encode(storageSecret));
    const bad = [
      url.replace("one.mp4", "two.mp4"),
      url.slice(0, -3),
      url.replace(/\?.*/, ""),
      url.replace(/token=.*/, `token=${expired}`),
    ];
    for (const each of bad) {
      const response = await fetch(each);
      assertEquals(response.status, 400);
      assertMatch((await response.json()).error, /^Invalid/);
    }
  }),
);

Deno.test(
  "a listing shows one level, sorted and in pages",
  withBox(async (_stack, ann) => {
    for (const name of ["b.mp4", "a.mp4", "deep/x.mp4", "deep/y.mp4"]) {
      await boxOf(ann).upload(`${ann.id}/${name}`, BYTES, MP4);
    }
    const names = async (path: string, options = {}) =>
      (await boxOf(ann).list(path, options)).data?.map((entry) => entry.name);
    assertEquals(await names(ann.id), ["a.mp4", "b.mp4", "deep"]);
    assertEquals(await names(`${ann.id}/deep`), ["x.mp4", "y.mp4"]);
    assertEquals(await names(ann.id, { limit: 1, offset: 1 }), ["b.mp4"]);
    assertEquals(await names(ann.id, { search: "b" }), ["b.mp4"]);
    assertEquals(await names(ann.id, { sortBy: { column: "name", order: "desc" } }), [
      "deep",
      "b.mp4",
      "a.mp4",
    ]);
  }),
);
