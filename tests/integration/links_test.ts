import { assert, assertEquals } from "@std/assert";
import { newCustomer, queued } from "../support/app.ts";
import { until } from "../support/until.ts";
import { byHand, delivered, stored } from "../support/by_hand.ts";

Deno.test("F21 links: none for other users, none that was changed, none after its time", async () => {
  await byHand({}, async (app) => {
    const [owner, stranger] = [await newCustomer(app), await newCustomer(app)];
    const videoId = await queued(app, owner);
    await delivered(app, videoId);
    await stored(app);
    const path = `${owner.id}/videos/${videoId}.mp4`;
    const sign = (who: typeof owner, seconds: number) =>
      who.client.storage.from("videos").createSignedUrl(path, seconds);

    assert((await sign(stranger, 60)).error !== null);

    const { data } = await sign(owner, 60);
    const good = data?.signedUrl ?? "";
    const status = async (url: string) => {
      const response = await fetch(url);
      await response.body?.cancel();
      return response.status;
    };
    assertEquals(await status(good), 200);
    assertEquals(await status(good.replace(videoId, crypto.randomUUID())), 400);
    assertEquals(await status(good.replace(/.(.{9})$/, (_, end) => `!${end}`)), 400);
    assertEquals(await status(good.replace(/token=.*/, "token=")), 400);

    const short = (await sign(owner, 1)).data?.signedUrl ?? "";
    await until("the link is over", async () => await status(short) === 400 || undefined);
  });
});
