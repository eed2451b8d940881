import { assertEquals } from "@std/assert";
import { hold, impatient } from "../support/held.ts";
import { withSql } from "../support/sql.ts";
import {
  accept,
  deliver,
  hangDoorbell,
  newestJob,
  newFamily,
  passTime,
  queueVideo,
  recordEvent,
  value,
} from "../support/fixtures.ts";

Deno.test("F35 the clean-up forgets raw events, raw errors and cron's history after their time", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    const job = await accept(db, video_id);
    await recordEvent(db, job);
    await deliver(db, job);
    await db.query('update public.video_jobs set provider_error = \'{"message": "raw"}\'');
    await db.query("update public.provider_events set received_at = now() - interval '8 days'");
    await db.query(
      `insert into cron.job_run_details
         (jobid, job_pid, database, username, command, status, start_time, end_time)
       select 1, 1, 'd', 'u', 'select app.tick()', 'succeeded', at, at
       from generate_series(1, 100) i, lateral (select now() - (i - 0.5) * interval '1 hour' as at) a`,
    );
    await passTime(db, "8 days");
    await db.query("select app.clean_up()");
    const count = (of: string) => value(db, `select count(*)::int as value from ${of}`);
    assertEquals(await count("public.provider_events"), 0);
    assertEquals(await count("public.video_jobs where provider_error is not null"), 0);
    assertEquals(await value(db, "select result_url as value from public.video_jobs"), "");
    const old = "cron.job_run_details where end_time < now() - interval '2 days'";
    assertEquals([await count(old), await count("cron.job_run_details where jobid = 1")], [0, 48]);
  });
});

Deno.test("F35 the clean-up looks at no attempt twice, and at each once", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 20 });
    const old = async () => {
      const job = await accept(db, (await queueVideo(db, family)).video_id);
      await deliver(db, job);
      await passTime(db, "8 days");
      return job;
    };
    const linkOf = (job: string) =>
      value(db, "select result_url as value from public.video_jobs where id = $1", [job]);
    const first = await old();
    await db.query("select app.clean_up()");
    await db.query("update public.video_jobs set result_url = 'https://x.example/1.mp4'");
    const second = await old();
    await db.query("select app.clean_up()");
    assertEquals([await linkOf(first), await linkOf(second)], ["https://x.example/1.mp4", ""]);
  });
});

Deno.test("F35 the clean-up does so much at once, the oldest first, and waits for nobody", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 40 });
    const jobs: string[] = [];
    for (let at = 0; at < 4; at++) {
      const job = await accept(db, (await queueVideo(db, family)).video_id);
      await recordEvent(db, job, { hash: job });
      await deliver(db, job);
      await db.query(
        "update public.provider_events set received_at = now() - $2 * interval '1 day' where video_job_id = $1",
        [job, 20 - at],
      );
      await db.query(
        "update public.video_jobs set finished_at = now() - $2 * interval '1 day' where id = $1",
        [job, 20 - at],
      );
      jobs.push(job);
    }
    await db.query("update app.last_check set cleaned_until = now() - interval '30 days'");
    const left = async () => {
      const rows = await db.query(
        `select exists (select 1 from public.provider_events e where e.video_job_id = j.id) as event,
           j.result_url <> '' as link
         from public.video_jobs j order by j.finished_at`,
      );
      return rows.map(({ event, link }) => `${event ? "event" : "-"} ${link ? "link" : "-"}`);
    };
    const cleanUp = (most: number) => impatient(db).query("select app.clean_up($1)", [most]);
    const both = "event link";
    await cleanUp(1);
    assertEquals(await left(), ["- -", both, both, both]);
    {
      await using _ = await hold(db, async (sql) => {
        await sql.query("select from public.video_jobs where id = $1 for update", [jobs[1]]);
        await sql.query("select from public.provider_events where video_job_id = $1 for update", [
          jobs[1],
        ]);
      });
      await cleanUp(1);
      assertEquals(await left(), ["- -", both, "- -", both]);
      await cleanUp(10);
      assertEquals(await left(), ["- -", both, "- -", "- -"]);
    }
    await cleanUp(10);
    assertEquals(await left(), ["- -", "- -", "- -", "- -"]);
  });
});

Deno.test("F35 the clean-up waits for no ring, doubt or cancellation that somebody holds", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { id } = await newestJob(db, (await queueVideo(db, family)).video_id);
    await db.query(
      `insert into public.unknown_outcomes (video_job_id, video_id, provider, model, provider_error, happened_at)
       select id, video_id, provider, model, '{}', now() - interval '90 days' from public.video_jobs`,
    );
    await db.query(
      `insert into app.cancellations (video_job_id, provider, provider_task_id, created_at)
       values ($1, 'runware', 't', now() - interval '2 days')`,
      [id],
    );
    await db.query(
      "insert into app.drainers (stage, node, lease_until) values ('poll', 'w', now() - interval '1 hour')",
    );
    const left = () =>
      value(
        db,
        `select (select count(*) from public.unknown_outcomes where provider_error is not null)
           + (select count(*) from app.cancellations)
           + (select count(*) from app.drainers where node = 'w') as value`,
      );
    {
      await using _ = await hold(db, async (sql) => {
        for (const table of ["public.unknown_outcomes", "app.cancellations", "app.drainers"]) {
          await sql.query(`select from ${table} for update`);
        }
      });
      await impatient(db).query("select app.clean_up()");
      assertEquals(Number(await left()), 3);
    }
    await db.query("select app.clean_up()");
    assertEquals(Number(await left()), 0);
  });
});

Deno.test("the clean-up of each hour rings once a day", async () => {
  await withSql(async (db) => {
    await hangDoorbell(db);
    const schedule = "select schedule as value from cron.job where jobname = 'gemreel-clean-up'";
    assertEquals(await value(db, schedule), "17 * * * *");
    const rings: unknown[] = [];
    for (let hour = 0; hour < 26; hour++) {
      await db.query("select app.clean_up()");
      rings.push(
        await value(db, "select count(*)::int as value from net.http_request_queue"),
      );
      await db.query("delete from app.drainers");
      await db.query("update app.change_marks set noted_at = noted_at - interval '1 hour'");
    }
    assertEquals(rings, [...Array(24).fill(1), 2, 2]);
  });
});
