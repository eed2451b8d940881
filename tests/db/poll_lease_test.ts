import { assertEquals } from "@std/assert";
import type { Database } from "../../shared/db/database.ts";
import { openQueue } from "../../shared/db/queue.ts";
import type { TaskState, VideoProvider } from "../../shared/providers/provider.ts";
import { notAsked } from "../../shared/providers/time_left.ts";
import { pollProvider } from "../../shared/stages/poll.ts";
import { accept, newFamily, passTime, queueVideo } from "../support/fixtures.ts";
import { quiet, withSql } from "../support/sql.ts";

/** A provider that needs twenty seconds for each task, and has not begun with any. */
function slow(asked: string[], spend: (milliseconds: number) => void): VideoProvider {
  return {
    name: "runware",
    choosesTaskId: true,
    callsBack: false,
    submitBatch: 50,
    pollBatch: 50,
    mediaHosts: [],
    submit: () => Promise.resolve([]),
    poll(ids, { hasTime } = { hasTime: () => true }) {
      return Promise.resolve(ids.map((id): TaskState => {
        if (!hasTime()) return notAsked(id);
        asked.push(id);
        spend(20_000);
        return { id, state: "processing" };
      }));
    },
    parseEvent: () => [],
    balanceUsd: () => Promise.resolve(0),
  };
}

/** One round of a poller that nobody holds up but the provider. Answers who was asked about. */
async function round(db: Database): Promise<string[]> {
  const asked: string[] = [];
  const now = { wall: 1_800_000_000_000, steady: 0 };
  const clock = { wall: () => now.wall, steady: () => now.steady };
  const provider = slow(asked, (milliseconds) => now.steady += milliseconds);
  const tools = { database: db, queue: openQueue(db, quiet), node: "test", log: quiet };
  await pollProvider(tools, provider, {}, clock);
  return asked;
}

Deno.test("polls end with the lease; whoever was not asked about is not given up for that, and is due when it is over", () =>
  withSql(async (db) => {
    const family = await newFamily(db, { gems: 30 });
    const jobs = [];
    for (let i = 0; i < 3; i++) {
      const { video_id } = await queueVideo(db, family);
      jobs.push(await accept(db, video_id));
    }
    // So long past the deadline that silence would end an attempt, as would any word but its delivery.
    await passTime(db, "2 hours");
    const first = await round(db);
    assertEquals(first.length, 2);
    const [left] = jobs.filter((id) => !first.includes(id));
    const alive = "select id from public.video_jobs where status = 'processing'";
    assertEquals(await db.query(alive), [{ id: left }]);
    assertEquals(await round(db), [], "its lease is not over");
    await passTime(db, "1 minute");
    assertEquals(await round(db), [left]);
    assertEquals(await db.query("select * from app.invariants"), []);
  }));

Deno.test("a lease that was turned shorter is over sooner", () =>
  withSql(async (db) => {
    const family = await newFamily(db, { gems: 30 });
    for (let i = 0; i < 3; i++) await accept(db, (await queueVideo(db, family)).video_id);
    await db.query("update app.settings set poll_lease_seconds = 30");
    await passTime(db, "1 minute");
    assertEquals(
      (await round(db)).length,
      1,
      "twenty seconds are gone, and ten are no time to ask in",
    );
  }));
