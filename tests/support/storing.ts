/** What tests of storing have in common. */
import { assertEquals } from "@std/assert";
import { type Customer, newCustomer, queued } from "./app.ts";
import { delivered, type HandStack } from "./by_hand.ts";
import { balanceOf, entriesOf, newestJob, videoOf } from "./fixtures.ts";

/** A video that was delivered and waits for its file to be copied. */
export async function waiting(app: HandStack): Promise<{ customer: Customer; videoId: string }> {
  const customer = await newCustomer(app, { gems: 10 });
  const videoId = await queued(app, customer);
  await delivered(app, videoId);
  assertEquals((await videoOf(app.db, videoId)).status, "rendering");
  return { customer, videoId };
}

/** Where a video stands. */
export const statusOf = async (app: HandStack, videoId: string) =>
  (await videoOf(app.db, videoId)).status;

/** Says that the provider named this place for the file. */
export const deliveredAt = (app: HandStack, videoId: string, url: string) =>
  app.db.query("update public.video_jobs set result_url = $2 where video_id = $1", [videoId, url]);

/** The bytes of each object of a customer, as the customer downloads it. */
export async function filesOf(app: HandStack, { id, client }: Customer): Promise<Uint8Array[]> {
  const rows = await app.db.query(
    "select name from storage.objects where bucket_id = 'videos' and name like $1 || '/%'",
    [id],
  );
  return await Promise.all(rows.map(async ({ name }) => {
    const { data, error } = await client.storage.from("videos").download(String(name));
    if (error) throw error;
    return new Uint8Array(await data.arrayBuffer());
  }));
}

/** Failed for good: the gems are back, the person is told kindly, no file is kept. */
export async function assertGivenUp(
  app: HandStack,
  customer: Customer,
  videoId: string,
  code: string,
) {
  const video = await videoOf(app.db, videoId);
  assertEquals([video.status, video.error_code], ["failed", "storing_failed"]);
  assertEquals(
    video.error_message,
    "The video was made but could not be saved. Please try again.",
  );
  assertEquals((await newestJob(app.db, videoId)).error_code, code);
  assertEquals(await balanceOf(app.db, { userId: customer.id, childId: "" }), 10);
  assertEquals((await entriesOf(app.db, videoId)).length, 2);
  assertEquals(await filesOf(app, customer), []);
}
