/** One video at one provider, told about twice and asked about by two workers at once. */
import { assertEquals } from "@std/assert";
import { openQueue } from "../../../shared/db/queue.ts";
import { pollAll } from "../../../shared/stages/poll.ts";
import { submitAll } from "../../../shared/stages/submit.ts";
import {
  brokenInvariants,
  entriesOf,
  newestJob,
  newFamily,
  queueVideo,
  recordEvent,
  TWINKLE,
  value,
  videoOf,
} from "../../support/fixtures.ts";
import { quiet, withSql } from "../../support/sql.ts";
import type { Bench } from "./suite.ts";

/** Both callbacks are taken in; the video is delivered, charged and stored once. */
export async function settlesOnce({ provider, levers, task }: Bench): Promise<void> {
  await withSql(async (db) => {
    const { name } = provider;
    await db.query("update public.rhymes set provider = $1, model = $2 where id = $3", [
      ...[name, task().model],
      TWINKLE,
    ]);
    const { video_id } = await queueVideo(db, await newFamily(db, { gems: 10 }));
    const queue = openQueue(db, quiet);
    await queue.ready();
    const providers = new Map([[name, provider]]);
    const worker = (node: string) => ({ database: db, queue, node, log: quiet });
    await submitAll(
      worker("one"),
      providers,
      () => Promise.resolve(({ video_job_id: id }) => Promise.resolve({ ...task(), id })),
    );
    const { id } = await newestJob(db, video_id);
    const theirs = "select provider_task_id as value from public.video_jobs where id = $1";
    const taskId = String(await value(db, theirs, [id]));
    levers.finish(taskId);
    for (const body of await levers.callBackTwice(taskId)) {
      await recordEvent(db, id, { provider: name, hash: JSON.stringify(body), payload: body });
      await Promise.all(["one", "two"].map((node) => pollAll(worker(node), providers)));
    }
    assertEquals((await videoOf(db, video_id)).status, "rendering");
    assertEquals((await entriesOf(db, video_id)).map(({ kind }) => kind), ["charge"]);
    const counts = {
      delivered:
        "select count(*)::int as value from public.video_progress where video_id = $1 and stage = 'rendering'",
      to_store:
        "select count(*)::int as value from pgboss.job where name = 'store-video' and id = $1",
    };
    assertEquals(await value(db, counts.delivered, [video_id]), 1);
    assertEquals(await value(db, counts.to_store, [id]), 1);
    assertEquals(await brokenInvariants(db), []);
    await queue.close();
  });
}
