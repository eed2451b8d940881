import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import { finishStoring } from "../../shared/db/store_calls.ts";
import { asUser } from "../support/as_user.ts";
import {
  accept,
  balanceOf,
  deliver,
  entriesOf,
  newFamily,
  queueVideo,
  stateOf,
  value,
} from "../support/fixtures.ts";
import { addOldVideos } from "../support/old_videos.ts";
import { videosRead } from "../support/rows_read.ts";
import {
  CLIP_PRICE,
  clipsOf,
  failClip,
  finishClip,
  newestClips,
  newProject,
  queueClips,
  sceneNumbers,
  withProject,
} from "../support/clips.ts";

Deno.test("a project is charged in one entry for each clip, and its map follows them to their end", async () => {
  await withProject({ scenes: 3 }, async (db, family, project) => {
    assertEquals(await queueClips(db, family, project, { scenes: sceneNumbers(3) }), 3);
    assertEquals(await balanceOf(db, family), 0);
    const [made = "", failed = "", waiting = ""] = await newestClips(db, family, project);
    assertEquals(await clipsOf(db, project), {
      [made]: "pending",
      [failed]: "pending",
      [waiting]: "pending",
    });
    await finishClip(db, made);
    await failClip(db, failed);
    assertEquals(await clipsOf(db, project), {
      [made]: `somewhere/${made}.mp4`,
      [failed]: "failed",
      [waiting]: "pending",
    });
    for (const id of [made, waiting]) {
      assertEquals(await entriesOf(db, id), [{ kind: "charge", amount: -CLIP_PRICE }]);
    }
    assertEquals(await entriesOf(db, failed), [
      { kind: "charge", amount: -CLIP_PRICE },
      { kind: "refund", amount: CLIP_PRICE },
    ]);
    const rows = await db.query(
      "select scene, kind, folder from public.videos where project_id = $1 order by scene",
      [project],
    );
    const [first] = rows;
    assertEquals([rows.length, first], [3, { scene: "1", kind: "clip", folder: "videos" }]);
  });
});

Deno.test("all or none: gems for eleven of twelve scenes buy nothing, and the error tells the price of all", async () => {
  await withProject({ scenes: 12, clipsPaid: 11 }, async (db, family, project) => {
    const asking = queueClips(db, family, project, { scenes: sceneNumbers(12) });
    const error: unknown = await asking.then(() => null, (thrown: unknown) => thrown);
    const { code, detail } = z.object({ code: z.string(), detail: z.string() }).parse(error);
    assertEquals([code, JSON.parse(detail)], ["GM001", { gem_balance: 22, gem_cost: 24 }]);
    assertEquals(await value(db, "select count(*)::int as value from public.videos"), 0);
    assertEquals([await balanceOf(db, family), await clipsOf(db, project)], [22, {}]);
  });
});

Deno.test("a project of 30 scenes is made to its end, and other videos are queued beside it", async () => {
  await withProject({ scenes: 30, clipsPaid: 40 }, async (db, family, project) => {
    assertEquals(await queueClips(db, family, project, { scenes: sceneNumbers(30) }), 30);
    await queueVideo(db, family);
    const ids = await newestClips(db, family, project);
    for (const id of ids) await finishClip(db, id);
    assertEquals(
      await clipsOf(db, project),
      Object.fromEntries(ids.map((id) => [id, `somewhere/${id}.mp4`])),
    );
    assertEquals(await balanceOf(db, family), 10 * CLIP_PRICE - 10);
  });
});

Deno.test("who is refused too often for the content starts no project either", async () => {
  await withProject({ scenes: 1, clipsPaid: 1 }, async (db, family, project) => {
    const refused = "insert into app.daily_counts values ($1, 'refused', now(), 20)";
    await db.query(refused, [family.userId]);
    assertEquals(await stateOf(queueClips(db, family, project, { scenes: ["1"] })), "GM013");
    assertEquals(await balanceOf(db, family), CLIP_PRICE);
  });
});

Deno.test("a project that can never start is refused for its scenes, and one that can later for now", async () => {
  await withProject({ scenes: 101, clipsPaid: 201 }, async (db, family, project) => {
    const refusal = async (scenes: string[], of = project) => {
      const asking = queueClips(db, family, of, { scenes });
      const error: unknown = await asking.then(() => null, (thrown: unknown) => thrown);
      const { code, detail } = z.object({ code: z.string(), detail: z.string() }).parse(error);
      return [code, JSON.parse(detail)];
    };
    const never = { field: "frames", allowed: [{ min: 1, max: 100 }] };
    assertEquals(await refusal(sceneNumbers(101)), ["GM012", never]);
    assertEquals([await balanceOf(db, family), await clipsOf(db, project)], [201 * CLIP_PRICE, {}]);

    await queueClips(db, family, project, { scenes: sceneNumbers(100) });
    const other = await newProject(db, family, 1);
    assertEquals(await refusal(["1"], other), ["GM004", { limit: 100 }]);
    await finishClip(db, (await newestClips(db, family, project))[0] ?? "");
    assertEquals(await queueClips(db, family, other, { scenes: ["1"] }), 1);
  });
});

Deno.test("again: only what is missing, failed or was changed is made and charged", async () => {
  await withProject({ scenes: 4, clipsPaid: 6 }, async (db, family, project) => {
    await queueClips(db, family, project, { scenes: ["1", "2", "3"] });
    const [made = "", failed = "", waiting = ""] = await newestClips(db, family, project);
    await finishClip(db, made);
    await failClip(db, failed);

    assertEquals(await queueClips(db, family, project, { scenes: sceneNumbers(4) }), 2);
    const again = await newestClips(db, family, project);
    assertEquals([again[0], again[2]], [made, waiting]);
    assert(again[1] !== failed);
    // The clip that failed is no longer the newest of its scene.
    assertEquals(Object.keys(await clipsOf(db, project)).sort(), again.toSorted());
    assertEquals(await queueClips(db, family, project, { scenes: sceneNumbers(4) }), 0);

    assertEquals(await queueClips(db, family, project, { scenes: ["1"], hash: "other" }), 1);
    assert((await newestClips(db, family, project))[0] !== made);
    // Six were bought, and one of them came to nothing.
    assertEquals(await balanceOf(db, family), CLIP_PRICE);
  });
});

Deno.test("a clip is the newest of its scene, and charged once, though the clock was set back before it", async () => {
  await withProject({ scenes: 1, clipsPaid: 2 }, async (db, family, project) => {
    const ask = () => queueClips(db, family, project, { scenes: ["1"] });
    await ask();
    const [failed = ""] = await newestClips(db, family, project);
    await failClip(db, failed);
    // Its id is of an hour from now, whatever names it.
    await db.transaction(async (sql) => {
      await sql.query("set local session_replication_role = replica");
      const later = `to_hex((extract(epoch from now() + interval '1 hour') * 1000)::bigint)`;
      const id = `(select (lpad(${later}, 12, '0') || substr('${failed}', 14))::uuid)`;
      await sql.query(`update public.videos set id = ${id}`);
      for (const table of ["video_jobs", "video_progress", "gem_entries", "notifications"]) {
        await sql.query(`update public.${table} set video_id = ${id} where video_id is not null`);
      }
    });
    assertEquals([await ask(), await ask()], [1, 0]);
    const [made = ""] = await newestClips(db, family, project);
    await finishClip(db, made);
    assertEquals(await clipsOf(db, project), { [made]: `somewhere/${made}.mp4` });
    assertEquals([await ask(), await balanceOf(db, family)], [0, CLIP_PRICE]);
  });
});

Deno.test("whether a scene needs a clip is asked of its own clips, and not of all of the project's", async () => {
  await withProject({ scenes: 2, clipsPaid: 0 }, async (db, family, project) => {
    await addOldVideos(db, family.userId, 200);
    await db.transaction(async (sql) => {
      await sql.query("set local session_replication_role = replica");
      await sql.query("update public.videos set project_id = $1, scene = '1'", [project]);
    });
    await db.query("analyze public.videos");
    const read = await db.transaction(async (sql) => {
      // They are too few to be worth an index.
      await sql.query("set local enable_seqscan = off");
      const ask = () => sql.query(`select app.clips_of($1, '{"2": null}')`, [project]);
      return await videosRead(sql, ask);
    });
    assert(read < 50, `${read} of 200`);
    await db.query("delete from public.videos");
  });
});

Deno.test("the map shows the scenes that the project has now", async () => {
  await withProject({ scenes: 2 }, async (db, family, project) => {
    await queueClips(db, family, project, { scenes: ["1", "2"] });
    const [first = "", second = ""] = await newestClips(db, family, project);
    const frames = (scenes: string) =>
      asUser(db, family.userId, "select public.update_project($2, p_frames => $1)", [
        scenes,
        project,
      ]);
    await frames('{"2": {}}');
    assertEquals(await clipsOf(db, project), { [second]: "pending" });
    await frames('{"1": {}, "2": {}}');
    assertEquals(Object.keys(await clipsOf(db, project)).sort(), [first, second].sort());
    await asUser(db, family.userId, "select public.delete_videos($1)", [[first]]);
    assertEquals(await clipsOf(db, project), { [second]: "pending" });
    await finishClip(db, second);
    await asUser(db, family.userId, "select public.delete_videos($1)", [[second]]);
    assertEquals(await clipsOf(db, project), {});
  });
});

Deno.test("a map is written only when it changes", async () => {
  await withProject({ scenes: 1 }, async (db, family, project) => {
    await queueClips(db, family, project, { scenes: ["1"] });
    const version = () =>
      value(db, "select xmin::text as value from public.projects where id = $1", [project]);
    const [id = ""] = await newestClips(db, family, project);
    const before = await version();
    const job = await accept(db, id);
    await deliver(db, job);
    assertEquals(await version(), before);
    await finishStoring(db, job, `somewhere/${id}.mp4`);
    assert(await version() !== before);
  });
});

Deno.test("a project is its owner's: others neither see it nor make clips of it, and nobody writes its map", async () => {
  await withProject({ scenes: 1 }, async (db, family, project) => {
    const stranger = await newFamily(db, { gems: 10 });
    assertEquals(await stateOf(queueClips(db, stranger, project, { scenes: ["1"] })), "GM005");
    const state = "select public.project_state($1, $2) as value";
    assertEquals(await value(db, state, [stranger.userId, project]), null);
    assertEquals(await asUser(db, stranger.userId, "select id from public.projects"), []);
    for (
      const statement of [
        "update public.projects set clips = '{}'",
        "delete from public.projects",
        "select public.queue_clips(null, null, null)",
      ]
    ) {
      assertEquals(await stateOf(asUser(db, family.userId, statement)), "42501", statement);
    }
  });
});
