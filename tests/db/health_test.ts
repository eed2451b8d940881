import { assertEquals, assertRejects } from "@std/assert";
import type { Database } from "../../shared/db/database.ts";
import { hangDoorbell } from "../support/fixtures.ts";
import { withSql } from "../support/sql.ts";

/** What health says of all that wakes the workers. */
async function clockwork(db: Database) {
  const [row] = await db.query(
    `select (r ->> 'doorbell_ready')::boolean as doorbell, (r ->> 'cron_scheduled')::boolean as cron
     from public.health_report() r`,
  );
  return row;
}

Deno.test("health says whether the workers can be rung: with both secrets in Vault, and not before", async () => {
  await withSql(async (db) => {
    await db.query("delete from vault.secrets");
    assertEquals(await clockwork(db), { doorbell: false, cron: true });
    await hangDoorbell(db);
    assertEquals(await clockwork(db), { doorbell: true, cron: true });
    await db.query("delete from vault.secrets where name = 'cron_secret_key'");
    assertEquals(await clockwork(db), { doorbell: false, cron: true });
  });
});

Deno.test("health says whether our cron jobs are there and active; scheduled once more, they are", async () => {
  await withSql(async (db) => {
    await db.query("update cron.job set active = false where jobname = 'gemreel-maintain'");
    assertEquals((await clockwork(db))?.["cron"], false);
    await db.query("delete from cron.job");
    assertEquals((await clockwork(db))?.["cron"], false);
    await db.query("select app.schedule_cron()");
    assertEquals((await clockwork(db))?.["cron"], true);
  });
});

Deno.test("cron looks every 1 to 59 seconds, and an order for anything else changes nothing", async () => {
  await withSql(async (db) => {
    const tick = () => db.query("select schedule from cron.job where jobname = 'gemreel-tick'");
    for (const seconds of [1, 59]) {
      await db.query("select app.schedule_cron($1)", [seconds]);
      assertEquals(await tick(), [{ schedule: `${seconds} seconds` }]);
    }
    for (const seconds of [60, 0, -1, null]) {
      const error = await assertRejects(
        () => db.query("select app.schedule_cron($1)", [seconds]),
        Error,
        "p_seconds must be 1 to 59",
      );
      assertEquals("code" in error && error.code, "GM008");
    }
    assertEquals(await tick(), [{ schedule: "59 seconds" }]);
  });
});

Deno.test("health says whether apps may listen: where Realtime came late, once the channel is opened", async () => {
  await withSql(async (db) => {
    const ready = async () =>
      (await db.query("select public.health_report() -> 'realtime_ready' as ready"))[0]?.["ready"];
    assertEquals(await ready(), true);
    await db.query("alter table realtime.messages rename to elsewhere");
    assertEquals(await db.query("select app.open_channel() as opened"), [{ opened: false }]);
    assertEquals(await ready(), false);
    await db.query("alter table realtime.elsewhere rename to messages");
    await db.query('drop policy "Users hear of their own videos" on realtime.messages');
    assertEquals(await ready(), false);
    assertEquals(await db.query("select app.open_channel() as opened"), [{ opened: true }]);
    assertEquals(await ready(), true);
  });
});
