/**
 * Against a server that has the real pg_cron in the database of DATABASE_URL. Not part of the plain
 * test run, which brings its own Postgres without extensions; `deno task test:postgres15` runs it.
 */
import { assertEquals } from "@std/assert";
import { startStack } from "../../local/stack.ts";
import { openDatabase } from "../../shared/db/database.ts";
import { newCustomer, over, queued } from "../support/app.ts";
import { brokenInvariants } from "../support/fixtures.ts";
import { quiet } from "../support/sql.ts";

const databaseUrl = Deno.env.get("DATABASE_URL") ?? "";

Deno.test("the real pg_cron alone carries a video through: no webhook, no stand-in for it", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "gemreel-cron-" });
  const stack = await startStack({
    dataDir,
    databaseUrl,
    port: 0,
    sandboxPort: 0,
    env: {},
    webhooks: "off",
    quiet: true,
    runware: { knobs: { renderMs: 50 } },
  });
  const db = openDatabase(databaseUrl, { log: quiet, max: 5 });
  try {
    const cron = stack.extensions.find((extension) => extension.name === "pg_cron");
    assertEquals(cron?.by, "extension");
    assertEquals(
      await db.query("select 1 as there from pg_extension where extname = 'pg_cron'"),
      [{ there: 1 }],
    );
    const app = { ...stack, db, database: undefined as never };
    const customer = await newCustomer(app);
    const videoId = await queued(app, customer);
    // pg_cron before 1.5 looks once a minute.
    assertEquals(await over(app, [videoId], { minutes: 3 }), ["completed"]);
    const runs = await db.query(
      "select distinct status from cron.job_run_details where command = 'select app.tick()'",
    );
    assertEquals(runs, [{ status: "succeeded" }]);
    assertEquals(await brokenInvariants(db), []);
  } finally {
    await db.close();
    await stack.stop();
    await Deno.remove(dataDir, { recursive: true });
  }
});
