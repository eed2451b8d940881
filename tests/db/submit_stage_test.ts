import { assertEquals } from "@std/assert";
import type { VideoProvider } from "../../shared/providers/provider.ts";
import { newFamily, passTime, queueVideo, value } from "../support/fixtures.ts";
import { withSql } from "../support/sql.ts";
import { choking, round, statuses } from "../support/submit_rounds.ts";

Deno.test("one task that makes the provider choke does not keep the others from being made", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 1000 });
    for (let i = 0; i < 12; i++) await queueVideo(db, family);
    const poison = {
      id: String(await value(db, "select id as value from public.video_jobs order by id limit 1")),
    };
    const calls: number[] = [];
    const accepted = () =>
      value(db, "select count(*)::int as value from public.video_jobs where status = 'processing'");
    await round(db, choking(poison, calls));
    assertEquals([await accepted(), calls], [0, [12]], "once is no reason to ask for each alone");
    await passTime(db, "1 minute");
    await round(db, choking(poison, calls));
    assertEquals(await accepted(), 11);
    assertEquals(await db.query("select * from app.invariants"), []);
  });
});

Deno.test("where the ids are the provider's, a call that fails is not made again in parts", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 40 });
    for (let i = 0; i < 4; i++) await queueVideo(db, family);
    await db.query("update public.video_jobs set maybe_bought = true");
    const poison = {
      id: String(await value(db, "select id as value from public.video_jobs order by id limit 1")),
    };
    const calls: number[] = [];
    await round(db, { ...choking(poison, calls), choosesTaskId: false });
    assertEquals(calls, [4]);
    const codes = await db.query("select distinct error_code as code from public.video_jobs");
    assertEquals(codes, [{ code: "unknown_outcome" }]);
  });
});

Deno.test("jobs of attempts that are over are cleared away without a pause: whoever stands behind them is next", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 20 });
    const { video_id } = await queueVideo(db, family);
    await db.query("select public.cancel_video($1, $2)", [family.userId, video_id]);
    const calls: number[] = [];
    assertEquals(await round(db, choking({ id: "" }, calls)), { taken: 1, fullness: 1 });
    await queueVideo(db, family);
    assertEquals(await round(db, choking({ id: "" }, calls)), { taken: 1, fullness: 1 / 20 });
    assertEquals(calls, [1]);
    assertEquals(await round(db, choking({ id: "" }, calls)), { taken: 0, fullness: 0 });
  });
});

Deno.test("two attempts that the provider gives one task: the first has it, the other is in doubt, and nobody else is held up", async () => {
  await withSql(async (db) => {
    await db.query("update app.providers set chooses_task_id = false");
    const family = await newFamily(db, { gems: 30 });
    for (let i = 0; i < 3; i++) await queueVideo(db, family);
    const provider: VideoProvider = {
      ...choking({}, []),
      choosesTaskId: false,
      submit: (tasks) =>
        Promise.resolve(tasks.map(({ id }, index) => ({
          ...{ id, outcome: "accepted" as const },
          providerTaskId: index < 2 ? "task-x" : "task-y",
        }))),
    };
    await round(db, provider);
    assertEquals((await statuses(db)).toSorted(), ["claimed", "processing", "processing"]);
    const tasks = await db.query(
      "select provider_task_id as task from public.video_jobs where status = 'processing' order by 1",
    );
    assertEquals(tasks, [{ task: "task-x" }, { task: "task-y" }]);
    await passTime(db, "5 minutes");
    await db.query("update pgboss.job set state = 'retry' where state = 'active'");
    await round(db, provider);
    assertEquals(
      await db.query("select error_code from public.video_jobs where status = 'failed'"),
      [{ error_code: "unknown_outcome" }],
    );
    assertEquals(await db.query("select * from app.invariants"), []);
  });
});
