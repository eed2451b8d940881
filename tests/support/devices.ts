/** Devices of users, registered as the app does. */
import { z } from "zod";
import { Browser } from "../../local/sandbox/notify/browser.ts";
import type { Database, Sql } from "../../shared/db/database.ts";
import type { Family } from "./fixtures.ts";

/** Does `work` in a transaction of this user's. */
export function asUser<T>(
  db: Database,
  { userId }: Pick<Family, "userId">,
  work: (sql: Sql) => Promise<T>,
): Promise<T> {
  return db.transaction(async (sql) => {
    const claims = JSON.stringify({ sub: userId, role: "authenticated" });
    await sql.query("select set_config('request.jwt.claims', $1, true)", [claims]);
    await sql.query("select set_config('role', 'authenticated', true)");
    return await work(sql);
  });
}

/** Registers a device. Answers its id. */
export function registerDevice(
  db: Database,
  family: Pick<Family, "userId">,
  { kind = "fcm", address, keys = kind === "web_push" ? new Browser().keys : undefined }: {
    kind?: "fcm" | "web_push";
    address: string;
    /** Of the browser; by default of one that nobody has. */
    keys?: { readonly p256dh: string; readonly auth: string } | undefined;
  },
): Promise<string> {
  return asUser(db, family, async (sql) => {
    const [row] = await sql.query(
      "select public.register_device($1, $2, $3, $4, $5) as id",
      [
        kind,
        address,
        kind === "fcm" ? "android" : "web",
        keys?.p256dh ?? null,
        keys?.auth ?? null,
      ],
    );
    return z.uuid().parse(row?.["id"]);
  });
}
