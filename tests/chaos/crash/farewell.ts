/** An account that is deleted: what is asked, and what must be left of it, which is nothing. */
import type { Database } from "../../../shared/db/database.ts";
import { until } from "../../support/until.ts";
import { brokenInvariants, type Family } from "../../support/fixtures.ts";
import type { Base } from "./base.ts";
import type { Lane } from "./lane.ts";

const PICTURE = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** The parent has uploaded the child's picture, and then deletes the account as delete-account does. */
export async function leave(
  db: Database,
  { surroundings: { supabaseUrl, secretKey } }: Lane,
  { userId, childId }: Family,
): Promise<void> {
  const path = `${userId}/${childId}.png`;
  const put = await fetch(`${supabaseUrl}/storage/v1/object/avatars/${path}`, {
    method: "POST",
    headers: {
      apikey: secretKey,
      authorization: `Bearer ${secretKey}`,
      "content-type": "image/png",
    },
    body: PICTURE,
  });
  await put.body?.cancel();
  if (!put.ok) throw new Error(`The picture could not be uploaded: ${put.status}`);
  const [row] = await db.query("select public.forget_user($1) ->> 'erasure_id' as id", [userId]);
  if (row?.["id"] === null) throw new Error("There is no erasure of the account");
}

/** Everything that is left of the account, or wrong without it, in sentences. */
export async function faultsOfFarewell(
  { base: { family }, lane, db }: {
    readonly base: Base;
    readonly lane: Lane;
    readonly db: Database;
  },
): Promise<string[]> {
  const faults = (await brokenInvariants(db)).map((row) => `Invariant: ${JSON.stringify(row)}`);
  const none = async (what: string, statement: string, values: unknown[] = []) => {
    const rows = await db.query(statement, values);
    if (rows.length > 0) faults.push(`${what}: ${JSON.stringify(rows)}`);
  };
  await none("Remains", "select * from app.remains_of($1)", [family.userId]);
  await none("Objects", "select bucket_id, name from storage.objects");
  await none("Sign-in", "select id from auth.users where id = $1", [family.userId]);
  await none(
    "Erasures that are not complete",
    `select * from app.erasure_status
     where finished_at is null or rows_left or sign_in_left or messages_left or deletions_left > 0`,
  );
  await none(
    "Queue jobs still in somebody's hands",
    "select name, id from pgboss.job where state = 'active'",
  );
  const amounts = await db.query(
    "select kind, sum(amount)::int as sum from public.gem_entries group by kind order by kind",
  );
  const sums = amounts.map((row) => `${row["kind"]} ${row["sum"]}`).join();
  if (!sums.startsWith("charge -20")) faults.push(`The ledger has lost its amounts: ${sums}`);
  await until("no file is on disk", async () => {
    const files = await Array.fromAsync(Deno.readDir(lane.files)).catch(() => []);
    return files.length === 0 || undefined;
  });
  return faults;
}
