import { assert, assertEquals } from "@std/assert";
import { startSubmissions } from "../../shared/db/submit_calls.ts";
import { asUser } from "../support/as_user.ts";
import { addAvatar, consent, CONSENT_TEXT, withdraw } from "../support/avatars.ts";
import { queuePrompt, withProviders } from "../support/makers.ts";
import { withSql } from "../support/sql.ts";
import {
  balanceOf,
  brokenInvariants,
  entriesOf,
  newestJob,
  newFamily,
  queueVideo,
  stateOf,
  videoOf,
} from "../support/fixtures.ts";

Deno.test("F39 a child's picture without a parent's consent: refused, nothing charged; with it, used", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 20 });
    const path = await addAvatar(db, family);
    assertEquals(await stateOf(queueVideo(db, family)), "GM011");
    assertEquals(await balanceOf(db, family), 20);
    assertEquals(await db.query("select 1 from public.videos"), []);

    await consent(db, family);
    const { video_id } = await queueVideo(db, family);
    const [started] = await startSubmissions(db, [(await newestJob(db, video_id)).id], "test");
    assertEquals([started?.avatar_path, started?.child_name], [path, "Mia"]);

    await withdraw(db, family);
    assertEquals(await stateOf(queueVideo(db, family)), "GM011");
  });
});

Deno.test("F39 consent that is withdrawn before the picture is handed over: the video fails kindly, all gems come back", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    await addAvatar(db, family);
    await consent(db, family);
    const { video_id } = await queueVideo(db, family);
    await withdraw(db, family);
    assertEquals(await startSubmissions(db, [(await newestJob(db, video_id)).id], "test"), []);
    const { status, error_code, error_message } = await videoOf(db, video_id);
    assertEquals([status, error_code], ["failed", "consent_withdrawn"]);
    assert(error_message?.includes("withdrawn"));
    assertEquals(await entriesOf(db, video_id), [{ kind: "charge", amount: -10 }, {
      kind: "refund",
      amount: 10,
    }]);
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("the child's name goes with a rhyme, which sings of it, and with nothing else", async () => {
  await withProviders(async (db, family) => {
    await consent(db, family);
    const names = [];
    for (
      const id of [
        (await queueVideo(db, family)).video_id,
        await queuePrompt(db, family, { child_id: family.childId }),
      ]
    ) {
      const [started] = await startSubmissions(db, [(await newestJob(db, id)).id], "test");
      names.push(started?.child_name);
    }
    assertEquals(names, ["Mia", null]);
  });
});

Deno.test("F39 without consent not even the child's name leaves the house", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    const [started] = await startSubmissions(db, [(await newestJob(db, video_id)).id], "test");
    assertEquals([started?.avatar_path, started?.child_name], [null, null]);
  });
});

Deno.test("F39 another child's consent, and another child's picture, are of no use", async () => {
  await withSql(async (db) => {
    const [mine, other] = [await newFamily(db, { gems: 20 }), await newFamily(db, { gems: 20 })];
    await addAvatar(db, mine);
    const theirs = await addAvatar(db, other);
    await consent(db, other);
    assertEquals(await stateOf(queueVideo(db, mine)), "GM011");
    await consent(db, mine);
    const draft = (path: string) =>
      db.query("select app.check_avatar($1, $2, $3)", [mine.userId, mine.childId, path]);
    assertEquals(await stateOf(draft(theirs)), "GM005");
    assertEquals(await stateOf(draft(`${mine.userId}/${mine.childId}.jpg`)), "GM005", "not there");
    const pointing = asUser(
      db,
      mine.userId,
      "update public.children set avatar_path = $1",
      [theirs],
    );
    assertEquals(await stateOf(pointing), "23514");
    for (const fn of ["give_consent($1, 'child-in-videos-1')", "withdraw_consent($1)"]) {
      const call = asUser(db, mine.userId, `select public.${fn}`, [other.childId]);
      assertEquals(await stateOf(call), "GM005", fn);
    }
  });
});

Deno.test("a consent can be withdrawn though the clock was set back since it was given", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db);
    await consent(db, family);
    await db.transaction(async (sql) => {
      // Past the trigger that keeps a consent as it was given.
      await sql.query("set local session_replication_role = replica");
      await sql.query("update public.consents set given_at = now() + interval '1 hour'");
    });
    await withdraw(db, family);
    assertEquals(
      await db.query("select withdrawn_at = given_at as at_once from public.consents"),
      [{ at_once: true }],
    );
  });
});

Deno.test("a consent says who, when and to which words; given twice it is one; it can be withdrawn and not changed", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db);
    await consent(db, family);
    await consent(db, family);
    const rows = await asUser(
      db,
      family.userId,
      `select c.user_id, c.child_id, c.text_id, c.given_at <= now() as given, c.withdrawn_at,
         c.text_sha256 = encode(sha256(convert_to(t.body, 'UTF8')), 'hex') as same_words
       from public.consents c join public.consent_texts t on t.id = c.text_id`,
    );
    assertEquals(rows, [{
      user_id: family.userId,
      child_id: family.childId,
      text_id: CONSENT_TEXT,
      given: true,
      withdrawn_at: null,
      same_words: true,
    }]);
    const change = (set: string) => stateOf(db.query(`update public.consents set ${set}`));
    assertEquals(await change("given_at = now() - interval '1 year'"), "GM009");
    assertEquals(await change("text_sha256 = repeat('0', 64)"), "GM009");
    await withdraw(db, family);
    assertEquals(await change("withdrawn_at = null"), "GM009");
    await consent(db, family);
    assertEquals((await db.query("select 1 from public.consents")).length, 2, "agreed anew");
    await db.query("update public.consent_texts set is_current = false");
    const old = asUser(db, family.userId, "select public.give_consent($1, $2)", [
      family.childId,
      CONSENT_TEXT,
    ]);
    assertEquals(await stateOf(old), "GM005");
    for (
      const text of ["insert into public.consents default values", "delete from public.consents"]
    ) {
      assertEquals(await stateOf(asUser(db, family.userId, text)), "42501", text);
    }
  });
});
