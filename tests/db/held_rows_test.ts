import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Database, Sql } from "../../shared/db/database.ts";
import { endDrain, startDrain } from "../../shared/db/drain_calls.ts";
import { reconcile } from "../../shared/db/maintain_calls.ts";
import { openQueue } from "../../shared/db/queue.ts";
import { prepareSubmitting } from "../../shared/db/submit_calls.ts";
import { createLog } from "../../shared/log.ts";
import type { SubmitOutcome, TaskState, VideoProvider } from "../../shared/providers/provider.ts";
import { pollProvider } from "../../shared/stages/poll.ts";
import { storeBatch } from "../../shared/stages/store.ts";
import { submitToProvider } from "../../shared/stages/submit.ts";
import {
  accept,
  balanceOf,
  brokenInvariants,
  deliver,
  type Family,
  hangDoorbell,
  newestJob,
  newFamily,
  passTime,
  queueVideo,
  value,
  videoOf,
} from "../support/fixtures.ts";
import { clipsOf, newProject, queueClips } from "../support/clips.ts";
import { type Held, hold, holdRow, impatient } from "../support/held.ts";
import { handOver, queuePrompt, withProviders } from "../support/makers.ts";
import { overlapping } from "../support/overlap.ts";
import { quiet, withSql } from "../support/sql.ts";
import { buildAnything, choking, round } from "../support/submit_rounds.ts";

/** So many videos of one family, in the order in which they were ordered. */
async function videosOf(db: Database, family: Family, count: number): Promise<string[]> {
  const ids = [];
  for (let at = 0; at < count; at++) ids.push((await queueVideo(db, family)).video_id);
  return ids;
}

/** So many videos of one new family. */
async function newVideos(db: Database, count: number): Promise<string[]> {
  return await videosOf(db, await newFamily(db, { gems: count * 10 }), count);
}

/** The first video of all: the one clip of a project. */
async function newClip(db: Database, family: Family): Promise<{ project: string; clip: string }> {
  const project = await newProject(db, family, 1);
  await queueClips(db, family, project, { scenes: ["1"] });
  return { project, clip: String(await value(db, "select id as value from public.videos")) };
}

const statusesOf = (db: Database, ids: readonly string[]) =>
  Promise.all(ids.map(async (id) => (await videoOf(db, id)).status));

const rings = (db: Sql) => value(db, "select count(*)::int as value from net.http_request_queue");

Deno.test("a video that somebody holds comes back later, and keeps no other from being handed over", async () => {
  await withSql(async (db) => {
    const [held = "", ...others] = await newVideos(db, 3);
    {
      await using _ = await holdRow(db, "public.videos", held);
      await round(impatient(db), choking({}, []));
      assertEquals(await statusesOf(db, others), ["processing", "processing"]);
    }
    assertEquals((await videoOf(db, held)).status, "queued");
    await passTime(db, "1 minute");
    await round(db, choking({}, []));
    assertEquals((await videoOf(db, held)).status, "processing");
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("an owner who is held while their video cannot be made any more keeps no other from being handed over", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const [hopeless = ""] = await videosOf(db, family, 1);
    await db.query("update public.video_jobs set claim_count = 5");
    const others = await newVideos(db, 2);
    {
      await using _ = await holdRow(db, "public.users", family.userId);
      await round(impatient(db), choking({}, []));
      assertEquals(await statusesOf(db, others), ["processing", "processing"]);
    }
    await db.query("select app.reconcile()");
    await round(db, choking({}, []));
    assertEquals((await videoOf(db, hopeless)).status, "failed");
    assertEquals(await balanceOf(db, family), 10);
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("a project that is held while its clip cannot be made any more keeps no other from being handed over", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { project } = await newClip(db, family);
    await db.query("update public.video_jobs set claim_count = 5");
    const others = await newVideos(db, 2);
    {
      await using _ = await holdRow(db, "public.projects", project);
      await round(impatient(db), choking({}, []));
      assertEquals(await statusesOf(db, others), ["processing", "processing"]);
    }
    await db.query("select app.reconcile()");
    await round(db, choking({}, []));
    assertEquals(Object.values(await clipsOf(db, project)), ["failed"]);
    assertEquals(await balanceOf(db, family), 10);
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("what a provider took is written down one by one where a video is held, and the held one when it is let go", async () => {
  await withSql(async (db) => {
    await db.query("update app.providers set chooses_task_id = false");
    const [first = "", second = ""] = await newVideos(db, 4);
    const held: Held[] = [];
    await using _ = {
      async [Symbol.asyncDispose]() {
        for (const one of held) await one.letGo();
      },
    };
    const provider: VideoProvider = {
      ...choking({}, []),
      choosesTaskId: false,
      submit: async (tasks) => {
        for (const id of [first, second]) held.push(await holdRow(db, "public.videos", id));
        return tasks.map(({ id }): SubmitOutcome => ({
          id,
          outcome: "accepted",
          providerTaskId: `theirs-${id}`,
        }));
      },
    };
    const logged: string[] = [];
    const log = createLog({}, (line) => {
      if (line.includes("theirs-")) logged.push(line);
    });
    const worker = impatient(db);
    const queue = openQueue(worker, quiet);
    await queue.ready();
    const tools = { database: worker, queue, node: "w", log };
    const pause = async () => await held[1]?.letGo();
    await submitToProvider(tools, provider, buildAnything(), { pause });
    const written = await db.query(
      `select video_id from public.video_jobs
       where provider_task_id = 'theirs-' || id and status = 'processing' and video_id <> $1`,
      [first],
    );
    assertEquals(written.length, 3);
    assertEquals(logged.length, 1);
    assertStringIncludes(logged[0] ?? "", (await newestJob(db, first)).id);
    await queue.close();
  });
});

/** One look for delivered files; none of them can be fetched. */
async function storeAll(db: Database) {
  const queue = openQueue(db, quiet);
  await queue.ready();
  await storeBatch({ database: db, queue, node: "w", log: quiet }, new Map(), {
    put: () => Promise.reject(new Error("Nothing is to be copied")),
  });
  await queue.close();
}

Deno.test("a delivered video that somebody holds comes back later, and keeps no other from being copied", async () => {
  await withSql(async (db) => {
    const ids = await newVideos(db, 2);
    for (const id of ids) await deliver(db, await accept(db, id));
    const [held = ""] = ids;
    const stages = () => Promise.all(ids.map(async (id) => (await videoOf(db, id)).stage));
    {
      await using _ = await holdRow(db, "public.videos", held);
      await storeAll(impatient(db));
      assertEquals(await stages(), ["rendering", "finalizing"]);
    }
    await passTime(db, "3 minutes");
    await storeAll(db);
    assertEquals(await stages(), ["finalizing", "finalizing"]);
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("a delivered video that somebody holds for a moment is copied at once", async () => {
  await withSql(async (db) => {
    const [id = ""] = await newVideos(db, 1);
    await deliver(db, await accept(db, id));
    const hold = (sql: Sql) =>
      sql.query("select from public.videos where id = $1 for update", [id]);
    const { waited } = await overlapping(db, hold, () => storeAll(db));
    assertEquals([waited, (await videoOf(db, id)).stage], [true, "finalizing"]);
  });
});

/** One poll of all that is due; the provider says this of each. */
async function poll(db: Database, said: { state: "succeeded" } | { state: "failed" }) {
  const provider: VideoProvider = {
    ...choking({}, []),
    mediaHosts: ["vm.runware.ai"],
    poll: (ids) =>
      Promise.resolve(
        ids.map((id): TaskState =>
          said.state === "succeeded"
            ? { id, ...said, videoUrl: "https://vm.runware.ai/video/x.mp4" }
            : { id, ...said, error: { kind: "safety", code: "nsfw", message: "No", raw: null } }
        ),
      ),
  };
  const queue = openQueue(db, quiet);
  await db.query(
    "update public.video_jobs set next_poll_at = now() where next_poll_at is not null",
  );
  await pollProvider({ database: db, queue, node: "w", log: quiet }, provider);
}

Deno.test("a video that somebody holds keeps no other's answer from being settled", async () => {
  await withSql(async (db) => {
    const ids = await newVideos(db, 3);
    for (const id of ids) await accept(db, id);
    const [held = "", ...others] = ids;
    {
      await using _ = await holdRow(db, "public.videos", held);
      await poll(impatient(db), { state: "succeeded" });
      assertEquals(await statusesOf(db, others), ["rendering", "rendering"]);
    }
    assertEquals((await videoOf(db, held)).status, "processing");
    await poll(db, { state: "succeeded" });
    assertEquals((await videoOf(db, held)).status, "rendering");
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("a project that somebody holds while its clip fails keeps no other's answer from being settled", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 20 });
    const { project, clip } = await newClip(db, family);
    const [other = ""] = await videosOf(db, family, 1);
    for (const id of [clip, other]) await accept(db, id);
    {
      await using _ = await holdRow(db, "public.projects", project);
      await poll(impatient(db), { state: "failed" });
      assertEquals(await statusesOf(db, [clip, other]), ["processing", "failed"]);
    }
    await poll(db, { state: "failed" });
    assertEquals((await videoOf(db, clip)).status, "failed");
    assertEquals(await balanceOf(db, family), 20);
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("F34 an order whose transaction stays open holds up neither other orders nor the workers of its stage", async () => {
  await withSql(async (db) => {
    await hangDoorbell(db);
    const [family, other] = [await newFamily(db, { gems: 10 }), await newFamily(db, { gems: 10 })];
    const worker = impatient(db);
    await using _ = await hold(db, (sql) => queueVideo(sql, family));
    await queueVideo(worker, other);
    assertEquals(await rings(db), 1, "it is not left to whoever may never commit");
    assertEquals(await worker.transaction((sql) => startDrain(sql, "submit", "one")), true);
    assertEquals(await worker.transaction((sql) => startDrain(sql, "submit", "two")), false);
    assertEquals(await worker.transaction((sql) => endDrain(sql, "submit", "one")), true);
    assertEquals(await db.query("select node from app.drainers"), []);
  });
});

Deno.test("F34 cron rings for the other stages though a ring of one is not committed", async () => {
  await withSql(async (db) => {
    await hangDoorbell(db);
    const family = await newFamily(db, { gems: 20 });
    const [first = ""] = await videosOf(db, family, 1);
    await deliver(db, await accept(db, first));
    await db.query("delete from app.drainers");
    await db.query("delete from net.http_request_queue");
    await using _ = await hold(db, (sql) => sql.query("select app.ring('store')"));
    await queueVideo(db, family);
    await db.query("delete from app.drainers");
    await db.query("delete from net.http_request_queue");
    await impatient(db).query("select app.tick()");
    const urls = await db.query(
      "select split_part(url, '/', 6) as stage from net.http_request_queue",
    );
    assertEquals(urls.map(({ stage }) => stage).sort(), ["store-videos", "submit-videos"]);
  });
});

Deno.test("owners who are held keep nobody else's video from its rescue", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const families = [family, await newFamily(db, { gems: 10 }), await newFamily(db, { gems: 10 })];
    for (const family of families) await queueVideo(db, family);
    await passTime(db, "5 hours");
    const [free, ...held] = families.toSorted((a, b) => a.userId < b.userId ? 1 : -1);
    const ids = held.map(({ userId }) => userId);
    const reconcile = () =>
      db.transaction(async (sql) => {
        // Less than two waits as long as those of maintain.
        await sql.query("set local statement_timeout = '15s'");
        const [row] = await sql.query("select app.reconcile() as counts");
        return row?.["counts"];
      });
    {
      await using _ = await hold(
        db,
        (sql) => sql.query("select from public.users where id = any ($1) for update", [ids]),
      );
      const counts = Object(await reconcile());
      assertEquals([counts.never_started, counts.failed], [1, 2]);
    }
    assertEquals(await balanceOf(db, free ?? family), 10);
    assertEquals(Object(await reconcile()).never_started, 2);
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("very many owners who are held leave a round of maintenance time for its other rescues", async () => {
  await withSql(async (db) => {
    // Waited for one after the other, they would take longer than a transaction may.
    for (let n = 0; n < 310; n++) await queueVideo(db, await newFamily(db, { gems: 10 }));
    await passTime(db, "5 hours");
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    const lost = await accept(db, video_id);
    await deliver(db, lost);
    await db.query("delete from pgboss.job where id = $1", [lost]);
    await using _ = await hold(
      db,
      (sql) => sql.query("update public.users set tier = tier where id <> $1", [family.userId]),
    );
    assertEquals((await db.transaction(reconcile))["store_requeued"], 1);
  });
});

Deno.test("a project that is held while its clip is given up keeps nobody else's video from its rescue", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 20 });
    const { project, clip } = await newClip(db, family);
    const [other = ""] = await videosOf(db, family, 1);
    await passTime(db, "5 hours");
    {
      await using _ = await holdRow(db, "public.projects", project);
      const counts = Object(await value(impatient(db), "select app.reconcile() as value"));
      assertEquals([counts.never_started, counts.failed], [1, 1]);
      assertEquals(await statusesOf(db, [clip, other]), ["queued", "failed"]);
    }
    await db.query("select app.reconcile()");
    assertEquals(await statusesOf(db, [clip]), ["failed"]);
    assertEquals(await clipsOf(db, project), { [clip]: "failed" });
    assertEquals(await balanceOf(db, family), 20);
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("what a provider said is written down though an operator is changing the provider", async () => {
  await withProviders(async (db, family) => {
    const alone = { fallbacks: [] };
    const change = (sql: Sql) => sql.query("update app.providers set max_in_flight = 7");
    const refused = await queuePrompt(db, family, alone);
    {
      await using _ = await hold(db, change);
      const worker = impatient(db);
      assertEquals(await handOver(worker, refused, "held"), "held");
      assertEquals(await prepareSubmitting(worker, []), { moved: 0, providers: [] });
    }
    await passTime(db, "1 minute");
    assertEquals(await handOver(db, refused, "unknown"), "held");
    await passTime(db, "1 minute");
    {
      await using _ = await hold(db, change);
      assertEquals(await handOver(impatient(db), refused, "accepted"), "accepted");
    }
  });
});
