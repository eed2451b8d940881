import { assertEquals } from "@std/assert";
import type { Database } from "../../shared/db/database.ts";
import {
  balanceOf,
  brokenInvariants,
  hangDoorbell,
  newFamily,
  passTime,
  queueVideo,
  value,
  videoOf,
} from "../support/fixtures.ts";
import { withSql } from "../support/sql.ts";

/** What hosted projects have and the tests' superuser has not: a database owner whose rights can be taken. */
const OWNED_BY_ONE_WITHOUT_RIGHTS = [
  "grant usage on schema app, pgboss, net, vault, cron to service_role",
  "grant all on all tables in schema public, app, pgboss, vault, storage, cron to service_role",
  "grant all on all functions in schema public, app, pgboss, vault to service_role",
  "grant all on all sequences in schema public, app, pgboss to service_role",
  "grant create on schema public, app to service_role",
  `do $$
   declare
     f regprocedure;
   begin
     for f in select p.oid from pg_proc p where p.pronamespace in ('public'::regnamespace, 'app'::regnamespace) loop
       execute format('alter function %s owner to service_role', f);
     end loop;
   end $$`,
  "revoke execute on function net.http_post from public, service_role",
];

const CUT_WIRES: Readonly<Record<string, readonly string[]>> = {
  "the address has no scheme": [
    "update vault.secrets set secret = 'ref.supabase.co/functions/v1' where name = 'functions_url'",
  ],
  "the address ends in a blank": ["update vault.secrets set secret = secret || ' '"],
  "pg_net may not be called": OWNED_BY_ONE_WITHOUT_RIGHTS,
  "Vault cannot decrypt": [
    `create function vault.decrypt(secret text) returns text language plpgsql
     as $$ begin raise exception 'pgsodium_crypto_aead_det_decrypt_by_id: invalid ciphertext'; end $$`,
    `create or replace view vault.decrypted_secrets as
     select id, name, description, secret, vault.decrypt(secret) as decrypted_secret, key_id, nonce, created_at, updated_at
     from vault.secrets`,
  ],
  "Vault has lost a secret": ["delete from vault.secrets where name = 'cron_secret_key'"],
};

/** As on a hosted project, where the owner of the functions runs them, cron's included. */
async function asOwner(db: Database, text: string): Promise<unknown> {
  const owner = await value(
    db,
    "select proowner::regrole::text as value from pg_proc where oid = 'app.tick()'::regprocedure",
  );
  return await db.transaction(async (sql) => {
    await sql.query("delete from app.drainers");
    await sql.query("select set_config('role', $1, true)", [owner]);
    return (await sql.query(text))[0]?.["value"];
  });
}

for (const [wire, cuts] of Object.entries(CUT_WIRES)) {
  Deno.test(`${wire}: orders, refunds and cron go through without a ring, and health says so`, async () => {
    await withSql(async (db) => {
      await hangDoorbell(db);
      assertEquals(await asOwner(db, "select app.call_function('maintain') as value"), true);
      for (const cut of cuts) await db.query(cut);
      const family = await newFamily(db, { gems: 20 });
      await db.query("delete from net.http_request_queue");

      assertEquals(await asOwner(db, "select app.call_function('maintain') as value"), false);
      const { video_id } = await queueVideo(db, family);
      assertEquals(await balanceOf(db, family), 10, "the order stands");
      await asOwner(db, "select app.tick()");
      await passTime(db, "5 hours");
      // It took too long: the refund, whose notice rings at the very end of the transaction.
      await asOwner(db, "select app.reconcile()");
      assertEquals((await videoOf(db, video_id)).status, "failed");
      assertEquals(await balanceOf(db, family), 20, "the refund stands");

      assertEquals(await value(db, "select count(*)::int as value from net.http_request_queue"), 0);
      const report = "select public.health_report() -> 'doorbell_ready' as value";
      assertEquals(await value(db, report), false);
      assertEquals(await brokenInvariants(db), []);
    });
  });
}

Deno.test("an address may have a port, or be one of IPv6, or end in a slash", async () => {
  await withSql(async (db) => {
    await hangDoorbell(db);
    for (
      const url of [
        "https://ref.supabase.co/functions/v1",
        "http://127.0.0.1:54321/functions/v1/",
        "http://[::1]:54321",
      ]
    ) {
      await db.query("update vault.secrets set secret = $1 where name = 'functions_url'", [url]);
      assertEquals(await value(db, "select app.doorbell_ready() as value"), true, url);
      await db.query("select app.call_function('maintain')");
      const rung = "delete from net.http_request_queue returning url as value";
      assertEquals(await value(db, rung), `${url.replace(/\/$/, "")}/maintain`);
    }
  });
});
