/** Devices of users, registered as the app does. */
import { z } from "zod";
import { Browser } from "../../local/sandbox/notify/browser.ts";
import type { Database } from "../../shared/db/database.ts";
import { asUser } from "./as_user.ts";
import type { Family } from "./fixtures.ts";

/** Registers a device. Answers its id. */
export async function registerDevice(
  db: Database,
  { userId }: Pick<Family, "userId">,
  { kind = "fcm", address, keys = kind === "web_push" ? new Browser().keys : undefined }: {
    kind?: "fcm" | "web_push";
    address: string;
    /** Of the browser; by default of one that nobody has. */
    keys?: { readonly p256dh: string; readonly auth: string } | undefined;
  },
): Promise<string> {
  const [row] = await asUser(
    db,
    userId,
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
}
