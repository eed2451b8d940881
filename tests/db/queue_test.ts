import { assert, assertEquals, assertRejects } from "@std/assert";
import { PgBoss } from "pg-boss";
import { endDrain, startDrain } from "../../shared/db/drain_calls.ts";
import { openQueue } from "../../shared/db/queue.ts";
import { startSubmissions } from "../../shared/db/submit_calls.ts";
import { quiet, withSql } from "../support/sql.ts";
import {
  accept,
  deliver,
  hangDoorbell,
  newestJob,
  newFamily,
  passTime,
  queueVideo,
  stateOf,
  value,
} from "../support/fixtures.ts";

Deno.test("app.enqueue makes the very row that boss.send makes", async () => {
  await withSql(async (db) => {
    const boss = new PgBoss({
      db: { executeSql: async (text, values) => ({ rows: await db.query(text, values) }) },
      schema: "pgboss",
      supervise: false,
      schedule: false,
      migrate: false,
    });
    boss.on("error", () => {});
    await boss.start();
    for (const queue of ["submit-runware", "store-video"]) {
      const ours = crypto.randomUUID();
      const theirs = crypto.randomUUID();
      await db.query("select app.enqueue($1, $2, $3, 7)", [queue, ours, { video_job_id: ours }]);
      await boss.send(queue, { video_job_id: theirs }, { id: theirs, priority: 7 });
      const [a, b] = await db.query(
        `select to_jsonb(j) - '{id,data,created_on,start_after,keep_until}'::text[] as row,
           extract(epoch from keep_until - start_after) as kept
         from pgboss.job j where j.name = $1 and j.id = any ($2)`,
        [queue, [ours, theirs]],
      );
      assert(a !== undefined && b !== undefined);
      assertEquals(a, b, queue);
    }
    await boss.stop({ graceful: false, close: false });
  });
});

Deno.test("the schema in the database is the one the pinned pg-boss expects", async () => {
  await withSql(async (db) => {
    const boss = new PgBoss({
      db: { executeSql: async (text, values) => ({ rows: await db.query(text, values) }) },
      schema: "pgboss",
      supervise: false,
      schedule: false,
      migrate: false,
    });
    boss.on("error", () => {});
    await boss.start();
    const report = await boss.detectSchemaDrift();
    await boss.stop({ graceful: false, close: false });
    assertEquals(report.ok, true, JSON.stringify(report));
  });
});

Deno.test("an older schema than the package's is refused at the start", async () => {
  await withSql(async (db) => {
    await db.query("update pgboss.version set version = version - 1");
    const queue = openQueue(db, quiet);
    await assertRejects(() => queue.ready());
  });
});

Deno.test("an unknown queue is an error at once, not at commit", async () => {
  await withSql(async (db) => {
    const call = db.query("select app.enqueue('submit-vidoe', $1, '{}')", [crypto.randomUUID()]);
    assertEquals(await stateOf(call), "GM008");
  });
});

Deno.test("F30 a job whose worker died is given out again by supervise", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    await queueVideo(db, family);
    const queue = openQueue(db, quiet);
    await queue.ready();
    const first = await db.transaction((sql) => queue.fetch(sql, "submit-runware", 5));
    assertEquals(first.length, 1);
    await passTime(db, "2 minutes");
    await queue.supervise();
    await passTime(db, "1 minute");
    const [again] = await db.transaction((sql) => queue.fetch(sql, "submit-runware", 5));
    assertEquals(again?.id, first[0]?.id);
    // The first worker wakes up: its word no longer counts.
    await queue.complete(db, "submit-runware", first);
    assertEquals(await value(db, "select state::text as value from pgboss.job"), "active");
    await queue.close();
  });
});

Deno.test("work that comes back out of its order is found, though a search begins where the last one ended", async () => {
  await withSql(async (db) => {
    const queue = openQueue(db, quiet);
    const add = (tag: number) =>
      db.query("select app.queue_submission(gen_random_uuid(), 'runware', $1)", [tag]);
    for (let tag = 1; tag <= 40; tag++) await add(tag);
    const take = () => db.transaction((sql) => queue.fetch(sql, "submit-runware", 1));
    const tagOf = async () => {
      const ids = (await take()).map(({ id }) => id);
      const rows = await db.query("select priority from pgboss.job where id = any ($1)", [ids]);
      return rows.map((row) => -Number(row["priority"]));
    };

    const first = await take();
    assertEquals(await tagOf(), [2]);
    await db.transaction((sql) => queue.retryLater(sql, "submit-runware", first, "Not now"));
    await passTime(db, "1 minute");
    const taken: number[] = [];
    while (!taken.includes(1)) taken.push(...await tagOf());
    assert(taken.length <= 16, `It came after ${taken.length} others`);
    // And then the order is as it was.
    assertEquals(await tagOf(), [taken.length + 2]);
    while ((await take()).length > 0);
    await add(5);
    assertEquals(await tagOf(), [5], "An empty queue is searched from its beginning");
    await queue.close();
  });
});

Deno.test("the fair clock never goes back, whoever is claimed late", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 20 });
    const early = await newestJob(db, (await queueVideo(db, family)).video_id);
    const late = await newestJob(db, (await queueVideo(db, family)).video_id);
    const claim = async (id: string) => {
      await startSubmissions(db, [id], "w");
      return await value(
        db,
        "select tag::int as value from app.fair_clocks where provider = 'runware'",
      );
    };
    assertEquals(await claim(late.id), 20);
    assertEquals(await claim(early.id), 20);
  });
});

Deno.test("a stage takes as many drainers as it is set to, and forgets dead ones", async () => {
  await withSql(async (db) => {
    assertEquals(await startDrain(db, "submit", "one"), true);
    assertEquals(await startDrain(db, "submit", "two"), false);
    assertEquals(await startDrain(db, "submit", "one"), true, "renewing");
    await passTime(db, "1 minute");
    assertEquals(await startDrain(db, "submit", "two"), true);
    assertEquals(await startDrain(db, "submit", "one"), false);
  });
});

Deno.test("F34 whoever queues while a drainer stops: either the drainer sees it or it is rung", async () => {
  await withSql(async (db) => {
    await hangDoorbell(db);
    const rings = () => value(db, "select count(*)::int as value from net.http_request_queue");
    for (let round = 0; round < 20; round++) {
      const family = await newFamily(db, { gems: 10 });
      await startDrain(db, "submit", "drainer");
      await db.query("delete from pgboss.job");
      const before = Number(await rings());
      const [seen] = await Promise.all([
        endDrain(db, "submit", "drainer"),
        queueVideo(db, family),
      ]);
      const rang = Number(await rings()) - before;
      assertEquals(seen || rang === 1, true, `round ${round}: seen ${seen}, rang ${rang}`);
      assertEquals(seen && rang > 0, false, "not both");
    }
  });
});

Deno.test("a burst of a hundred videos rings once, and cron may call a second worker to a long queue", async () => {
  await withSql(async (db) => {
    await hangDoorbell(db);
    const rings = (stage: string) =>
      value(db, "select count(*)::int as value from net.http_request_queue where url like $1", [
        `%/${stage}`,
      ]);
    const families = [];
    for (let i = 0; i < 20; i++) families.push(await newFamily(db, { gems: 50 }));
    await Promise.all(
      families.flatMap((family) => Array.from({ length: 5 }, () => queueVideo(db, family))),
    );
    assertEquals(await rings("submit-videos"), 1);

    await db.query("select app.enqueue('store-video', gen_random_uuid(), '{}')");
    await startDrain(db, "store", "one");
    await db.query("select app.ring('store')");
    assertEquals(await rings("store-videos"), 0, "one is at it");
    await db.query("select app.tick()");
    assertEquals(await rings("store-videos"), 1, "cron sees that it does not keep up");
  });
});

Deno.test("cron rings only the stages that have work and no worker", async () => {
  await withSql(async (db) => {
    await hangDoorbell(db);
    const rung = async () => {
      await db.query("delete from net.http_request_queue");
      await db.query("delete from app.drainers where node = 'rung'");
      await db.query("select app.tick()");
      const rows = await db.query("select url from net.http_request_queue order by url");
      return rows.map((row) => String(row["url"]).split("/").at(-1));
    };
    assertEquals(await rung(), []);
    const family = await newFamily(db, { gems: 20 });
    const { video_id } = await queueVideo(db, family);
    assertEquals(await rung(), ["submit-videos"]);
    await accept(db, video_id);
    await db.query("delete from pgboss.job");
    assertEquals(await rung(), []);
    await passTime(db, "10 seconds");
    assertEquals(await rung(), ["poll-videos"]);
    await startDrain(db, "poll", "w");
    assertEquals(await rung(), []);
  });
});

Deno.test("F35 jobs that are over leave the queue within hours", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    await deliver(db, await accept(db, (await queueVideo(db, family)).video_id));
    await db.query(
      "update pgboss.job set state = 'completed', started_on = now(), completed_on = now()",
    );
    const count = () => value(db, "select count(*)::int as value from pgboss.job");
    assertEquals(await count(), 2);
    await db.query("update pgboss.job set completed_on = completed_on - interval '3 hours'");
    await passTime(db, "3 hours");
    const queue = openQueue(db, quiet);
    await queue.ready();
    await queue.supervise();
    await queue.close();
    assertEquals(await count(), 0);
  });
});

Deno.test("F25 the secret key is in no cron command and no request that a client could read", async () => {
  await withSql(async (db) => {
    await hangDoorbell(db);
    await db.query("select app.schedule_cron()");
    const commands = await db.query("select command from cron.job");
    assert(commands.length >= 3);
    for (const row of commands) assert(!String(row["command"]).includes("sb_secret"));
    assertEquals(
      await value(
        db,
        `select has_table_privilege('authenticated', 'net.http_request_queue', 'select')
           and has_schema_privilege('authenticated', 'net', 'usage') as value`,
      ),
      false,
    );
  });
});

Deno.test("jobs that the queue does not take are an error, never a silence", async () => {
  await withSql(async (db) => {
    const id = crypto.randomUUID();
    const call = db.query("select app.enqueue_all('{store-video,store-video}', $1, $2)", [
      [id, id],
      [
        "{}",
        "{}",
      ],
    ]);
    assertEquals(await stateOf(call), "40001");
  });
});
