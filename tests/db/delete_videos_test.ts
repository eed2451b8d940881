import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import type { Database } from "../../shared/db/database.ts";
import { finishStoring } from "../../shared/db/store_calls.ts";
import { endDrain, startDrain } from "../../shared/db/drain_calls.ts";
import { asUser, withinAsUser } from "../support/as_user.ts";
import { addAvatar, consent } from "../support/avatars.ts";
import { finished, pause, visit } from "../support/forgetting.ts";
import { handOver, queuePrompt, withProviders } from "../support/makers.ts";
import { overlapping } from "../support/overlap.ts";
import { withSql } from "../support/sql.ts";
import {
  accept,
  balanceOf,
  brokenInvariants,
  deliver,
  entriesOf,
  type Family,
  hangDoorbell,
  newFamily,
  queueVideo,
  stateOf,
  value,
} from "../support/fixtures.ts";

const deleteVideos = async (db: Database, { userId }: Family, ids: string[]) => {
  const [row] = await asUser(db, userId, "select public.delete_videos($1) as answer", [ids]);
  return z.object({ deleted: z.array(z.string()), gem_balance: z.number() }).parse(row?.["answer"]);
};

Deno.test("one call deletes videos in every state: refunds as cancel would, rows and files gone, the ledger whole", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 40 });
    const done = await finished(db, family);
    const queued = (await queueVideo(db, family, { hash: "q" })).video_id;
    const processing = (await queueVideo(db, family, { hash: "p" })).video_id;
    await accept(db, processing);
    const rendering = (await queueVideo(db, family, { hash: "r" })).video_id;
    await deliver(db, await accept(db, rendering));
    const ids = [done, queued, processing, rendering];

    const answer = await deleteVideos(db, family, ids);
    assertEquals(answer.deleted.toSorted(), ids.toSorted());
    assertEquals(answer.gem_balance, 10, "the queued one's gems; the others were handed over");
    assertEquals(await deleteVideos(db, family, ids), { deleted: [], gem_balance: 10 });
    for (const table of ["videos", "video_jobs", "video_progress", "notifications"]) {
      assertEquals(await db.query(`select 1 from public.${table}`), [], table);
    }
    const kinds = async (id: string) => (await entriesOf(db, id)).map((entry) => entry["kind"]);
    assertEquals(await kinds(queued), ["charge", "refund"]);
    assertEquals(await kinds(done), ["charge"]);
    const again = db.query("select app.move_gems($1, 10, 'refund', $2, 'x')", [
      family.userId,
      queued,
    ]);
    assertEquals(await stateOf(again), "23505", "a deleted video is refunded once, too");

    assertEquals((await visit(db)).objects_deleted, 2);
    assertEquals(await db.query("select 1 from storage.objects"), []);
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("nobody's words outlive the video: not in the ledger, not in the operator's list", async () => {
  await withProviders(async (db, family) => {
    const words = "A fox on a hill";
    const [plain, cancelled, doubtful] = [
      await queuePrompt(db, family, { title: words }),
      await queuePrompt(db, family),
      await queuePrompt(db, family),
    ];
    for (const id of [cancelled, doubtful]) {
      await handOver(db, id, "unknown", { provider_error: { raw: words } });
    }
    await db.query("select public.cancel_video($1, $2)", [family.userId, cancelled]);
    const kept = () =>
      db.query(
        `select 'ledger' as place from public.gem_entries where reason like '%' || $1 || '%'
         union select 'doubts' from public.unknown_outcomes u where u.provider_error ->> 'raw' = $1
         order by 1`,
        [words],
      );
    assertEquals(await kept(), [{ place: "doubts" }, { place: "ledger" }]);
    await deleteVideos(db, family, [plain, cancelled, doubtful]);
    assertEquals(await kept(), []);
    assertEquals((await db.query("select 1 from public.unknown_outcomes")).length, 2);
  });
});

Deno.test("a file that a worker still wrote after its video was deleted goes too", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    const { video_id } = await queueVideo(db, family);
    const job = await accept(db, video_id);
    await deliver(db, job);
    await deleteVideos(db, family, [video_id]);
    await visit(db);
    await db.query("insert into storage.objects (bucket_id, name) values ('videos', $1)", [
      `${family.userId}/videos/${video_id}.mp4`,
    ]);
    assertEquals(await finishStoring(db, job, "x"), false);
    await pause(db);
    await visit(db);
    assertEquals(await db.query("select 1 from storage.objects"), []);
    assertEquals(await db.query("select 1 from app.objects_to_delete"), []);
  });
});

Deno.test("a child's picture that was still being uploaded when the child was deleted goes too", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db);
    const path = await addAvatar(db, family);
    await asUser(db, family.userId, "select public.forget_child($1)", [family.childId]);
    await visit(db);
    assertEquals(await db.query("select 1 from storage.objects"), []);
    await db.query("insert into storage.objects (bucket_id, name) values ('avatars', $1)", [path]);
    await pause(db);
    await visit(db);
    assertEquals(await db.query("select 1 from storage.objects"), []);
    assertEquals(await db.query("select 1 from app.objects_to_delete"), []);
  });
});

Deno.test("forgetting a child takes its videos, pictures and consents with it, and nobody else's", async () => {
  await withSql(async (db) => {
    const [family, other] = [await newFamily(db, { gems: 30 }), await newFamily(db, { gems: 10 })];
    for (const each of [family, other]) {
      await addAvatar(db, each);
      await consent(db, each);
    }
    await finished(db, family);
    await queueVideo(db, family, { hash: "waiting" });
    const kept = await finished(db, other);

    const theft = asUser(db, other.userId, "select public.forget_child($1)", [family.childId]);
    assertEquals(await stateOf(theft), "GM005");
    await asUser(db, family.userId, "select public.forget_child($1)", [family.childId]);
    await visit(db);

    assertEquals(await balanceOf(db, family), 20, "the waiting one's gems came back");
    assertEquals(await db.query("select id from public.videos"), [{ id: kept }]);
    assertEquals((await db.query("select 1 from public.consents")).length, 1);
    const left = await db.query("select name from storage.objects order by name");
    assert(left.length === 3 && left.every((row) => String(row["name"]).startsWith(other.userId)));
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("videos are kept forever, or as long as the setting says; never one that is under way", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 40 });
    const old = await finished(db, family);
    const waiting = (await queueVideo(db, family, { hash: "w" })).video_id;
    await db.query("update public.videos set created_at = now() - interval '31 days'");
    const fresh = await finished(db, family);
    assertEquals((await visit(db)).old_videos_deleted, 0);
    await db.query("update app.settings set video_retention_days = 30");
    assertEquals((await visit(db)).old_videos_deleted, 1);
    const left = await db.query("select id from public.videos");
    assertEquals(left.map((row) => row["id"]).toSorted(), [waiting, fresh].toSorted());
    assertEquals(
      await db.query("select 1 from storage.objects where name like '%' || $1 || '%'", [old]),
      [],
    );
  });
});

Deno.test("a deletion that its user draws out keeps no worker from its place, and rings when it is over", async () => {
  await withSql(async (db) => {
    await hangDoorbell(db);
    const rings = () =>
      value(
        db,
        "select count(*)::int as value from net.http_request_queue where url like '%/maintain'",
      );
    const family = await newFamily(db, { gems: 20 });
    await finished(db, family);
    const calls = [
      ["select public.delete_videos($1)", [[await finished(db, family)]]],
      ["select public.forget_child($1)", [family.childId]],
    ] as const;
    for (const [text, values] of calls) {
      await db.query("delete from net.http_request_queue");
      await db.query("delete from app.drainers");
      const { second, waited } = await overlapping(
        db,
        (sql) => withinAsUser(sql, family.userId, text, values),
        async () => [await startDrain(db, "maintain", "x"), await endDrain(db, "maintain", "x")],
        async () => assertEquals(await rings(), 0),
      );
      assertEquals([second[0], waited], [true, false], text);
      assertEquals(await rings(), 1, text);
    }
  });
});

Deno.test("whoever deletes a user rings for the files, in the dashboard too", async () => {
  await withSql(async (db) => {
    await hangDoorbell(db);
    const family = await newFamily(db, { gems: 10 });
    await finished(db, family);
    await db.query("delete from app.drainers");
    await db.query("delete from auth.users where id = $1", [family.userId]);
    const stage = "select node as value from app.drainers where stage = 'maintain'";
    assertEquals(await value(db, stage), "rung");
  });
});
