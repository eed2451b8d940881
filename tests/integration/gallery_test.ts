import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import { newCustomer, queued, work } from "../support/app.ts";
import { byHand, delivered, stored } from "../support/by_hand.ts";

const rows = z.array(z.object({
  video_id: z.uuid(),
  status: z.string(),
  is_favorite: z.boolean(),
  storage_path: z.string().nullable(),
  cursor: z.string(),
}));

Deno.test("the gallery as the app uses it: list, search, page, mark, link, delete; a stranger does none of it", async () => {
  await byHand({}, async (app) => {
    const [customer, stranger] = [await newCustomer(app), await newCustomer(app)];
    const list = async (args: Record<string, unknown>, who = customer) => {
      const { data, error } = await who.client.rpc("list_videos", args);
      assertEquals(error, null);
      return rows.parse(data);
    };
    const done = await queued(app, customer);
    await delivered(app, done);
    await stored(app);
    const waiting = await queued(app, customer);

    const [first, ...rest] = await list({ p_limit: 1 });
    assertEquals([first?.video_id, rest], [waiting, []]);
    const next = await list({ p_limit: 1, p_cursor: first?.cursor });
    assertEquals(next.map((row) => row.video_id), [done]);
    assertEquals((await list({ p_search: "twinkle", p_status: ["completed"] })).length, 1);
    const wrong = await customer.client.rpc("list_videos", { p_cursor: "nonsense" });
    assertEquals(wrong.error?.code, "GM008");

    const marked = await customer.client.rpc("set_favorite", {
      p_video_id: done,
      p_favorite: true,
    });
    assertEquals(marked.error, null);
    const [favourite] = await list({ p_favorite: true });
    assertEquals(favourite?.video_id, done);
    const path = favourite?.storage_path ?? "";
    const files = customer.client.storage.from("videos");
    const { data: link } = await files.createSignedUrl(path, 60);
    const watched = await fetch(link?.signedUrl ?? "");
    await watched.body?.cancel();
    assertEquals(watched.status, 200);

    assertEquals(await list({}, stranger), []);
    const theft = await stranger.client.rpc("delete_videos", { p_video_ids: [done] });
    assertEquals(theft.data, { deleted: [], gem_balance: 100 });
    assertEquals((await list({})).length, 2);

    const both = await customer.client.rpc("delete_videos", { p_video_ids: [done, waiting] });
    assertEquals(z.object({ gem_balance: z.number() }).parse(both.data).gem_balance, 90);
    assertEquals(await list({}), []);
    await work(app, "maintain");
    assert((await files.download(path)).error, "the file is gone");
    const again = await fetch(link?.signedUrl ?? "");
    await again.body?.cancel();
    assertEquals(again.status, 400, "and the link to it is dead");
  });
});
