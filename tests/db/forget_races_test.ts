import { assert, assertEquals } from "@std/assert";
import { asUser } from "../support/as_user.ts";
import { withSql } from "../support/sql.ts";
import {
  balanceOf,
  brokenInvariants,
  entriesOf,
  failAttempt,
  newestJob,
  newFamily,
  queueVideo,
  stateOf,
} from "../support/fixtures.ts";

Deno.test("F05 deleted, cancelled and failed at once, many times over: the gems come back exactly once", async () => {
  await withSql(async (db) => {
    for (let round = 0; round < 8; round++) {
      const family = await newFamily(db, { gems: 10 });
      const { video_id } = await queueVideo(db, family);
      const { id: job } = await newestJob(db, video_id);
      const ends = [
        () => asUser(db, family.userId, "select public.delete_videos($1)", [[video_id]]),
        () => db.query("select public.cancel_video($1, $2)", [family.userId, video_id]),
        () => failAttempt(db, job, { final: true }),
        () => asUser(db, family.userId, "select public.forget_child($1)", [family.childId]),
      ];
      const states = await Promise.all([...ends, ...ends, ...ends].map((end) => stateOf(end())));
      const odd = states.filter((state) => !["no error", "GM005", "GM006"].includes(state));
      assertEquals(odd, []);
      assertEquals(await balanceOf(db, family), 10);
      const kinds = (await entriesOf(db, video_id)).map((entry) => entry["kind"]);
      assertEquals(kinds, ["charge", "refund"]);
      assertEquals(await db.query("select 1 from public.videos where id = $1", [video_id]), []);
    }
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("an account that is deleted while its owner taps: nothing of it is left, and nothing is half done", async () => {
  await withSql(async (db) => {
    for (let round = 0; round < 8; round++) {
      const family = await newFamily(db, { gems: 100 });
      const tap = () => stateOf(queueVideo(db, family, { hash: crypto.randomUUID() }));
      const forget = () => stateOf(db.query("select public.forget_user($1)", [family.userId]));
      const states = await Promise.all([tap(), tap(), forget(), tap(), forget(), tap()]);
      const odd = states.filter((state) => !["no error", "GM005"].includes(state));
      assertEquals(odd, []);
      assertEquals(await tap(), "GM005");
      for (const table of ["users", "children", "videos", "video_progress", "gem_entries"]) {
        const column = table === "users" ? "id" : "user_id";
        const left = await db.query(`select 1 from public.${table} where ${column} = $1`, [
          family.userId,
        ]);
        assertEquals(left, [], table);
      }
    }
    const orphans = await db.query(
      "select 1 from public.video_jobs j left join public.videos v on v.id = j.video_id where v.id is null",
    );
    assertEquals(orphans, []);
    const charged = await db.query("select 1 from public.gem_entries where kind = 'charge'");
    assert(charged.length > 0, "some tap was in time");
    assertEquals(await brokenInvariants(db), []);
  });
});
