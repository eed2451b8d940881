import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPostgres } from "../../local/postgres.ts";
import { withClient } from "../../local/prepare.ts";
import { until } from "../support/until.ts";
import { type TestStack, withStack } from "../support/stack.ts";

interface Answer {
  readonly status_code: number | null;
  readonly content: string | null;
  readonly timed_out: boolean;
  readonly error_msg: string | null;
}

const withPlainStack = (work: (stack: TestStack) => Promise<void>) => () =>
  withStack({ functions: false }, async (stack) => {
    // Ours alone: the project's own jobs would ring in between.
    await stack.database.rows("delete from cron.job");
    await work(stack);
  });

/** A server that remembers what it was sent. */
async function withReceiver(
  answer: (request: Request) => Response | Promise<Response>,
  work: (url: string, seen: string[]) => Promise<void>,
): Promise<void> {
  const seen: string[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname, search } = new URL(request.url);
      const key = request.headers.get("x-key") ?? "";
      seen.push(`${request.method} ${pathname}${search} ${key} ${await request.text()}`);
      return await answer(request);
    },
  );
  try {
    await work(`http://127.0.0.1:${server.addr.port}`, seen);
  } finally {
    await server.shutdown();
  }
}

async function answerTo(stack: TestStack, id: string): Promise<Answer> {
  return await until(`request ${id} is answered`, async () => {
    const found = await stack.database.rows<Answer>(
      "select * from net._http_response where id = $1",
      [
        id,
      ],
    );
    return found[0];
  });
}

Deno.test(
  "net.http_post sends once the transaction has committed, and never after a rollback",
  withPlainStack(async (stack) => {
    await withReceiver(() => new Response("thanks", { status: 202 }), async (url, seen) => {
      const client = await stack.database.pool.connect();
      const post = `select net.http_post(url := $1, body := '{"a": 1}', params := '{"q": "ä b&c"}',
        headers := '{"x-key": "k"}') as id`;
      await client.query("begin");
      await client.query(post, [`${url}/rolled-back`]);
      await client.query("rollback");
      await client.query("begin");
      const { rows } = await client.query<{ id: string }>(post, [`${url}/committed`]);
      assertEquals(seen, []);
      await client.query("commit");
      client.release();
      const answer = await answerTo(stack, rows[0]?.id ?? "");
      assertEquals([answer.status_code, answer.content, answer.timed_out], [202, "thanks", false]);
      assertEquals(seen, ['POST /committed?q=%C3%A4%20b%26c k {"a": 1}']);
      assertEquals(await stack.database.rows("select from net.http_request_queue"), []);
    });
  }),
);

Deno.test(
  "net takes nothing that is no address",
  withPlainStack(async ({ database }) => {
    for (const url of ["ref.supabase.co/functions/v1", "https://a b.example/", "https:/x", ""]) {
      const error = await assertRejects(() => database.rows("select net.http_post($1)", [url]));
      assertStringIncludes(String(error), `invalid URL "${url}"`);
    }
  }),
);

Deno.test(
  "net records a time-out and a refused connection, and asks only once",
  withPlainStack(async (stack) => {
    const forever = Promise.withResolvers<Response>();
    await withReceiver(() => forever.promise, async (url, seen) => {
      const [slow] = await stack.database.rows<{ id: string }>(
        "select net.http_get($1, timeout_milliseconds := 50) as id",
        [url],
      );
      const answer = await answerTo(stack, slow?.id ?? "");
      assertEquals([answer.status_code, answer.timed_out], [null, true]);
      assertEquals(seen.length, 1);
      forever.resolve(new Response());
    });
    const [refused] = await stack.database.rows<{ id: string }>(
      "select net.http_get('http://127.0.0.1:1/') as id",
    );
    const answer = await answerTo(stack, refused?.id ?? "");
    assertEquals([answer.status_code, answer.timed_out], [null, false]);
  }),
);

Deno.test(
  "cron runs a job every second and records how each run ended",
  withPlainStack(async (stack) => {
    await stack.database.rows(
      `select cron.schedule('good', '1 seconds', 'select 1 union select 2'),
              cron.schedule('bad', '1 second', 'select 1 / 0')`,
    );
    const ended = await until("each job has run", async () => {
      const runs = await stack.database.rows<{ jobname: string }>(
        `select distinct j.jobname, d.status, d.return_message, d.end_time >= d.start_time as timed
         from cron.job_run_details d join cron.job j using (jobid)
         where d.status <> 'running' order by 1`,
      );
      return runs.length === 2 ? runs : undefined;
    });
    assertEquals(ended, [
      { jobname: "bad", status: "failed", return_message: "ERROR:  division by zero", timed: true },
      { jobname: "good", status: "succeeded", return_message: "2 rows", timed: true },
    ]);
  }),
);

Deno.test(
  "a job that is still running is not started again",
  withPlainStack(async (stack) => {
    const { rows } = stack.database;
    const started = (job: string) =>
      rows(
        "select from cron.job_run_details join cron.job using (jobid) where jobname = $1",
        [job],
      );
    const holder = await stack.database.pool.connect();
    await holder.query("select pg_advisory_lock(7)");
    try {
      await rows("select cron.schedule('long', '1 seconds', 'select pg_advisory_xact_lock(7)')");
      await rows("select cron.schedule('short', '1 seconds', 'select 1')");
      await until("the short job has run three times", async () => {
        const [long, short] = [await started("long"), await started("short")];
        return short.length >= 3 && long.length > 0 ? true : undefined;
      });
      assertEquals((await started("long")).length, 1);
    } finally {
      await holder.query("select pg_advisory_unlock(7)");
      holder.release();
    }
    await until(
      "the long job runs again",
      async () => (await started("long")).length > 1 || undefined,
    );
  }),
);

Deno.test(
  "cron jobs are replaced by name, changed, ended, and refused when the schedule makes no sense",
  withPlainStack(async (stack) => {
    const { rows } = stack.database;
    const [first] = await rows("select cron.schedule('job', '5 4 * * *', 'select 1') as id");
    const [second] = await rows("select cron.schedule('job', '*/5 1-3 * * mon', 'select 2') as id");
    assertEquals(first, second);
    await rows("select cron.alter_job(job_id := jobid, active := false) from cron.job");
    assertEquals(await rows("select schedule, command, active from cron.job"), [
      { schedule: "*/5 1-3 * * mon", command: "select 2", active: false },
    ]);
    assertEquals(await rows("select cron.unschedule('job') as done"), [{ done: true }]);
    await assertRejects(() => rows("select cron.unschedule('job')"), Error, "could not find");
    for (const schedule of ["60 seconds", "0 seconds", "* * * *", "often"]) {
      await assertRejects(
        () => rows("select cron.schedule('job', $1, 'select 1')", [schedule]),
        Error,
        "invalid schedule",
      );
    }
  }),
);

Deno.test(
  "vault keeps secrets by name, from everybody but the server",
  withPlainStack(async (stack) => {
    const { rows, pool } = stack.database;
    const secrets = await rows(
      `select name, decrypted_secret from vault.decrypted_secrets
       where name in ('functions_url', 'cron_secret_key') order by name desc`,
    );
    assertEquals(secrets, [
      { name: "functions_url", decrypted_secret: `${stack.supabaseUrl}/functions/v1` },
      { name: "cron_secret_key", decrypted_secret: stack.cronKey },
    ]);
    for (const role of ["anon", "authenticated"]) {
      const client = await pool.connect();
      await client.query(`set role ${role}`);
      for (const table of ["vault.secrets", "vault.decrypted_secrets", "cron.job"]) {
        await assertRejects(() => client.query(`select from ${table}`), Error, "permission denied");
      }
      client.release(true);
    }
  }),
);

Deno.test("after Postgres was killed and started again, everything goes on by itself", async () => {
  const dataDir = join(tmpdir(), `gemreel-test-${crypto.randomUUID()}`);
  const options = { dataDir, temporary: true, settings: { fsync: "off" } };
  const postgres = await startPostgres({ ...options, port: 0 });
  let again: typeof postgres | undefined;
  try {
    await withStack({ databaseUrl: postgres.url, functions: false }, async (stack) => {
      await postgres.kill();
      again = await startPostgres({ ...options, port: postgres.port });
      assertEquals(again.url, postgres.url);
      await withReceiver(() => new Response(), async (url, seen) => {
        const command = `select net.http_get('${url}/rung')`;
        await until("the API answers", async () => {
          const response = await fetch(`${stack.supabaseUrl}/auth/v1/admin/users`, {
            headers: { apikey: stack.secretKey },
          });
          await response.body?.cancel();
          return response.ok ? true : undefined;
        });
        await withClient(
          postgres.url,
          (client) => client.query("select cron.schedule('ring', '1 seconds', $1)", [command]),
        );
        await until("it rings", () => Promise.resolve(seen.length > 0 || undefined));
      });
    });
  } finally {
    await again?.stop();
  }
});
