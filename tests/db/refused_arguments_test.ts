import { assertEquals } from "@std/assert";
import { z } from "zod";
import type { Database } from "../../shared/db/database.ts";
import { asUser } from "../support/as_user.ts";
import { newFamily } from "../support/fixtures.ts";
import { withSql } from "../support/sql.ts";

const refused = z.object({ code: z.string(), message: z.string(), detail: z.string() });

/** What this is refused with: the code, the sentence, and what `details` name. */
async function refusalOf(call: Promise<unknown>): Promise<[string, string, unknown]> {
  const error: unknown = await call.then(() => null, (thrown: unknown) => thrown);
  const { code, message, detail } = refused.parse(error);
  return [code, message, JSON.parse(detail)];
}

/** Calls of signed-in users with one wrong argument each. */
const WRONG: readonly (readonly [call: string, code: string, message: string, details: object])[] =
  [
    ["delete_project(null)", "GM005", "No project with id null", { field: "p_project_id" }],
    ["set_favorite(null, true)", "GM005", "No video with id null", { field: "p_video_id" }],
    ["set_favorite(gen_random_uuid(), null)", "GM008", "A video is a favourite or not", {
      field: "p_favorite",
      allowed: [true, false],
    }],
    ["forget_child(null)", "GM005", "No child with id null", { field: "p_child_id" }],
    ["list_videos(p_limit => null)", "GM008", "A page has 1 to 100 videos, not null", {
      field: "p_limit",
      allowed: [{ min: 1, max: 100 }],
    }],
    ["list_videos(p_status => '{queued,done}')", "GM008", 'No video has the status "done"', {
      field: "p_status",
      allowed: ["queued", "processing", "rendering", "completed", "failed", "cancelled"],
    }],
    ["list_videos(p_status => '{null}')", "GM008", "No video has the status null", {
      field: "p_status",
      allowed: ["queued", "processing", "rendering", "completed", "failed", "cancelled"],
    }],
    ["list_videos(p_kind => 'song')", "GM008", 'No video is of the kind "song"', {
      field: "p_kind",
      allowed: ["rhyme", "prompt", "image", "clip"],
    }],
  ];

Deno.test("a wrong argument of a user's call is named, in a sentence that people can read", async () => {
  await withSql(async (db) => {
    const { userId, childId } = await newFamily(db);
    for (const [call, ...expected] of WRONG) {
      const calling = asUser(db, userId, `select * from public.${call}`);
      assertEquals(await refusalOf(calling), expected, call);
    }
    const agreeing = asUser(db, userId, "select public.give_consent($1, null)", [childId]);
    assertEquals(await refusalOf(agreeing), [
      ...["GM005", "No current text with id null"],
      { field: "p_text_id" },
    ]);
  });
});

const [KEY, SECRET] = ["B".repeat(87), "a".repeat(22)];
const KINDS = { field: "p_kind", allowed: ["fcm", "web_push"] };
const PLATFORMS = { field: "p_platform", allowed: ["android", "ios", "web"] };

/** Kind, address, platform and the two keys of a device, and what is named of them. */
const DEVICES: readonly (readonly [device: readonly (string | null)[], details: object])[] = [
  [["apns", "a", "ios", null, null], KINDS],
  [["apns", "a", "ios", KEY, SECRET], KINDS],
  [[null, "a", "ios", null, null], KINDS],
  [["fcm", "a", "tv", null, null], PLATFORMS],
  [["fcm", "a", null, null, null], PLATFORMS],
  [["fcm", null, "ios", null, null], { field: "p_address" }],
  [["fcm", "", "ios", null, null], { field: "p_address" }],
  [["web_push", "push.example", "web", KEY, SECRET], { field: "p_address" }],
  [["fcm", "a", "ios", KEY, SECRET], { field: "p_p256dh" }],
  [["fcm", "a", "ios", null, SECRET], { field: "p_auth" }],
  [["web_push", "https://push.example", "web", null, null], { field: "p_p256dh" }],
  [["web_push", "https://push.example", "web", KEY, null], { field: "p_auth" }],
  [["web_push", "https://push.example", "web", "x", SECRET], { field: "p_p256dh" }],
  [["web_push", "https://push.example", "web", KEY, "x"], { field: "p_auth" }],
];

Deno.test("of a device that cannot be registered the argument is named that is wrong", async () => {
  await withSql(async (db) => {
    const { userId } = await newFamily(db);
    const register = (db: Database, device: readonly (string | null)[]) =>
      asUser(db, userId, "select public.register_device($1, $2, $3, $4, $5)", device);
    for (const [device, details] of DEVICES) {
      const [code, , told] = await refusalOf(register(db, device));
      assertEquals([code, told], ["GM008", details], JSON.stringify(device));
    }
    await register(db, ["fcm", "a", "ios", null, null]);
  });
});

Deno.test("a grant to nobody, of nothing or of no kind names its argument", async () => {
  await withSql(async (db) => {
    const { userId } = await newFamily(db);
    const grant = (...values: unknown[]) =>
      refusalOf(db.query("select public.grant_gems($1, $2, $3, 'Test', 'key')", values));
    const nobody = "10000000-0000-4000-8000-00000000dead";
    assertEquals(await grant(nobody, 10, "grant"), [
      ...["GM005", `No user with id "${nobody}"`],
      { field: "p_user_id" },
    ]);
    const [code, message] = await grant(userId, null, "grant");
    assertEquals([code, message.split(" must")[0]], ["GM008", "Amount null"]);
    const [, kind] = await grant(userId, 10, null);
    assertEquals(kind, "Kind null is not one of grant, purchase, adjustment");
  });
});
