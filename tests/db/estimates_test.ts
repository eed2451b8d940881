/** How long a video takes is measured, and told to whoever orders the next. */
import { assertAlmostEquals } from "@std/assert";
import { openQueue } from "../../shared/db/queue.ts";
import type { TaskState, VideoProvider } from "../../shared/providers/provider.ts";
import { maintain } from "../../shared/stages/maintain.ts";
import { pollProvider } from "../../shared/stages/poll.ts";
import { accept, deliver, newFamily, passTime, queueVideo, value } from "../support/fixtures.ts";
import { quiet, withSql } from "../support/sql.ts";

const provider: VideoProvider = {
  name: "runware",
  choosesTaskId: true,
  callsBack: false,
  submitBatch: 50,
  pollBatch: 50,
  mediaHosts: [],
  submit: () => Promise.resolve([]),
  poll: (ids) => Promise.resolve(ids.map((id): TaskState => ({ id, state: "processing" }))),
  parseEvent: () => [],
  balanceUsd: () => Promise.resolve(0),
};

Deno.test("F36 what maintain measures is what the next one is told, when it is queued and while it renders", () =>
  withSql(async (db) => {
    const family = await newFamily(db, { gems: 100 });
    let tap = 0;
    const queued = async () => {
      const answer = await queueVideo(db, family, { hash: `tap ${tap++}` });
      const seconds = (Date.parse(answer.estimated_completion) - Date.now()) / 1_000;
      return { ...answer, seconds };
    };
    for (let n = 0; n < 3; n++) {
      const { video_id, seconds } = await queued();
      assertAlmostEquals(seconds, 60, 5);
      const job = await accept(db, video_id);
      await deliver(db, job);
      await db.query(
        "update public.video_jobs set submitted_at = finished_at - interval '400 seconds' where id = $1",
        [job],
      );
    }
    const tools = { database: db, queue: openQueue(db, quiet), node: "test", log: quiet };
    await tools.queue.ready();
    await maintain(tools);

    const { video_id, seconds } = await queued();
    assertAlmostEquals(seconds, 400, 5);
    await accept(db, video_id);
    await passTime(db, "100 seconds");
    await pollProvider(tools, provider);
    const newest =
      "select eta_seconds as value from public.video_progress order by id desc limit 1";
    assertAlmostEquals(Number(await value(db, newest)), 300, 5);
    await tools.queue.close();
  }));
