/** What one user may have refused, cancel, and keep. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { z } from "zod";
import type { Database } from "../../shared/db/database.ts";
import { fromRpcError } from "../../shared/http/http_error.ts";
import { asUser } from "../support/as_user.ts";
import { consent } from "../support/avatars.ts";
import { accept, type Family, newFamily, queueVideo, stateOf, value } from "../support/fixtures.ts";
import { fail, handOver, queuePrompt, withProviders } from "../support/makers.ts";
import { overlapping } from "../support/overlap.ts";
import { withSql } from "../support/sql.ts";

const pgError = z.object({ code: z.string(), message: z.string(), detail: z.string() });

/** An order in the user's own words that its provider takes, and then refuses for its content, billed. */
async function refusedOrder(db: Database, family: Family): Promise<string> {
  const id = await queuePrompt(db, family, { fallbacks: [] });
  await handOver(db, id, "accepted");
  assertEquals(await fail(db, id, "safety", { retry_seconds: null, cost_usd: 0.5 }), "failed");
  return id;
}

Deno.test("who is refused as often as allowed orders nothing more of their own until a day has passed, whatever they delete", async () => {
  await withProviders(async (db, family) => {
    await db.query("update app.settings set refusals_per_day = 2");
    const refused = [await refusedOrder(db, family), await refusedOrder(db, family)];
    await db.query("update app.daily_counts set since = since - interval '13 hours'");
    const { code, message, detail } = pgError.parse(
      await assertRejects(() => queuePrompt(db, family)),
    );
    assertEquals([code, message], [
      "GM013",
      "Too much of what you asked for was refused. Please come back in 11 hours",
    ]);
    const { headers } = fromRpcError({ code, message, details: detail }).extra;
    assertMatch(headers?.["retry-after"] ?? "", /^39(600|5\d\d)$/);
    await asUser(db, family.userId, "select public.delete_videos($1)", [refused]);
    assertEquals(await stateOf(queuePrompt(db, family)), "GM013");

    await queueVideo(db, family);
    await consent(db, family);
    assertEquals(await stateOf(queueVideo(db, family)), "GM013", "the child's name is theirs");
    await queuePrompt(db, await newFamily(db, { gems: 100 }));
    await db.query("update app.daily_counts set since = since - interval '1 day'");
    await refusedOrder(db, family);
    await queuePrompt(db, family);
  });
});

Deno.test("who cancels as often as allowed orders nothing more until a day has passed, whatever they delete", async () => {
  await withSql(async (db) => {
    await db.query("update app.settings set cancellations_per_day = 3");
    const family = await newFamily(db, { gems: 100 });
    const cancel = (id: string) =>
      db.query("select public.cancel_video($1, $2)", [family.userId, id]);
    const remove = (id: string) =>
      asUser(db, family.userId, "select public.delete_videos($1)", [[id]]);
    const order = async () => (await queueVideo(db, family)).video_id;

    const cancelled = await order();
    await cancel(cancelled);
    await cancel(cancelled);
    await remove(cancelled);
    const submitted = await order();
    await accept(db, submitted);
    // It costs the price, so it is not counted.
    await cancel(submitted);
    await remove(await order());
    await remove(await order());
    assertEquals(await stateOf(queueVideo(db, family)), "GM013");

    await queueVideo(db, await newFamily(db, { gems: 10 }));
    await db.query("update app.daily_counts set since = since - interval '1 day'");
    await cancel(await order());
    await order();
  });
});

Deno.test("a rhyme that is refused, with nothing of the user's in it, is not theirs to answer for", async () => {
  await withSql(async (db) => {
    await db.query("update app.settings set refusals_per_day = 1");
    const family = await newFamily(db, { gems: 100 });
    const refused = async () => {
      const { video_id } = await queueVideo(db, family);
      await accept(db, video_id);
      await fail(db, video_id, "safety", { retry_seconds: null });
    };
    await refused();
    await consent(db, family);
    await refused();
    assertEquals(
      await stateOf(queueVideo(db, family)),
      "GM013",
      "with a consent the name is theirs",
    );
  });
});

Deno.test("a failure of another kind is no refusal", async () => {
  await withProviders(async (db, family) => {
    await db.query("update app.settings set refusals_per_day = 1");
    const id = await queuePrompt(db, family, { fallbacks: [] });
    await handOver(db, id, "accepted");
    await fail(db, id, "provider", { retry_seconds: null });
    await queuePrompt(db, family);
  });
});

for (const table of ["children", "projects"] as const) {
  Deno.test(`nobody has more ${table} than the setting allows: not at once, not in bulk, not side by side`, async () => {
    await withSql(async (db) => {
      const { userId } = await newFamily(db);
      const other = await newFamily(db);
      await db.query("delete from public.children");
      await db.query("update app.settings set children_per_user = 5, projects_per_user = 5");
      const column = table === "children" ? "name" : "title";
      const add = (count: number, user = userId) =>
        stateOf(asUser(
          db,
          user,
          `insert into public.${table} (user_id, ${column}) select $1, 'x' from generate_series(1, $2)`,
          [user, count],
        ));
      const count = () =>
        value(db, `select count(*)::int as value from public.${table} where user_id = $1`, [
          userId,
        ]);

      assertEquals(await add(6), "GM004");
      assertEquals(await add(3), "no error");
      const more = `insert into public.${table} (user_id, ${column}) values ($1, 'x'), ($1, 'x')`;
      const { second, waited } = await overlapping(
        db,
        (sql) => sql.query(more, [userId]),
        () => add(2),
      );
      assertEquals([second, waited], ["GM004", true]);
      assertEquals(await count(), 5);
      assertEquals(await add(1), "GM004");
      assertEquals(await add(5, other.userId), "no error");
    });
  });
}

Deno.test("a project holds a hundred scenes with signed links, and not much more; nobody has many", async () => {
  await withSql(async (db) => {
    const { userId } = await newFamily(db);
    // As Storage signs them: a path below the user's folder, and a token.
    const link = `https://${
      "r".repeat(20)
    }.supabase.co/storage/v1/object/sign/frames/${userId}/${userId}.png?token=${"t".repeat(360)}`;
    const framesOf = (scenes: number) =>
      JSON.stringify(Object.fromEntries(
        Array.from({ length: scenes }, (_, at) => [at + 1, {
          ...{ first_frame: link, last_frame: link, duration: 5 },
          prompt: "The fox wakes up and looks around. ".repeat(4),
        }]),
      ));
    const insert = "insert into public.projects (user_id, frames) values ($1, $2)";
    const add = (frames: string) => stateOf(asUser(db, userId, insert, [userId, frames]));
    assertEquals(await add(framesOf(100)), "no error");
    assertEquals(await add(framesOf(120)), "23514");
    const change = "select public.update_project(id, p_frames => $1) from public.projects";
    assertEquals(await stateOf(asUser(db, userId, change, [framesOf(120)])), "23514");
    for (let count = 1; count < 50; count++) await add("{}");
    assertEquals(await add("{}"), "GM004");
  });
});

Deno.test("consent cannot be given and withdrawn without end", async () => {
  await withSql(async (db) => {
    const { userId, childId } = await newFamily(db);
    const [text] = await db.query("select id from public.consent_texts where is_current limit 1");
    await db.query(
      `insert into public.consents (user_id, child_id, text_id, text_sha256, withdrawn_at)
       select $1, $2, $3, repeat('0', 64), now() from generate_series(1, 99)`,
      [userId, childId, text?.["id"]],
    );
    const give = () =>
      stateOf(asUser(db, userId, "select public.give_consent($1, $2)", [childId, text?.["id"]]));
    assertEquals(await give(), "no error");
    assertEquals(await give(), "no error", "the same again is the same consent");
    await asUser(db, userId, "select public.withdraw_consent($1)", [childId]);
    assertEquals(await give(), "GM004");
  });
});
