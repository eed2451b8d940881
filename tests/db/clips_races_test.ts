import { assert, assertEquals } from "@std/assert";
import type { Sql } from "../../shared/db/database.ts";
import { finishStoring } from "../../shared/db/store_calls.ts";
import { asUser } from "../support/as_user.ts";
import {
  accept,
  balanceOf,
  brokenInvariants,
  deliver,
  type Family,
  newFamily,
  stateOf,
} from "../support/fixtures.ts";
import { withDatabase } from "../support/database.ts";
import { overlapping } from "../support/overlap.ts";
import {
  CLIP_PRICE,
  clipsOf,
  failClip,
  finishAcceptedClip,
  finishClip,
  newestClips,
  newProject,
  queueClips,
  sceneNumbers,
  withProject,
} from "../support/clips.ts";

Deno.test("the newest clip of a scene is the one that was charged last, whoever began first", async () => {
  await withProject({ scenes: 1, clipsPaid: 2 }, async (db, family, project) => {
    const ask = (sql: Sql, hash: string) =>
      queueClips(sql, family, project, { scenes: ["1"], hash });
    await db.transaction(async (sql) => {
      await sql.query("select 1");
      assertEquals(await ask(db, "old pictures"), 1);
      assertEquals(await ask(sql, "new pictures"), 1);
    });
    assertEquals(await ask(db, "new pictures"), 0);
  });
});

Deno.test("two clips that end at once are both in the map", async () => {
  await withProject({ scenes: 12 }, async (db, family, project) => {
    await queueClips(db, family, project, { scenes: sceneNumbers(12) });
    const ids = await newestClips(db, family, project);
    await Promise.all(ids.map((id, at) => at % 3 === 0 ? failClip(db, id) : finishClip(db, id)));
    const clips = await clipsOf(db, project);
    assertEquals(
      ids.map((id) => clips[id]),
      ids.map((id, at) => at % 3 === 0 ? "failed" : `somewhere/${id}.mp4`),
    );
    assertEquals(await balanceOf(db, family), 4 * CLIP_PRICE);
  });
});

Deno.test("ten times at once: each scene is bought once", async () => {
  await withProject({ scenes: 6, clipsPaid: 20 }, async (db, family, project) => {
    const counts = await Promise.all(
      sceneNumbers(10).map(() => queueClips(db, family, project, { scenes: sceneNumbers(6) })),
    );
    assertEquals(counts.sort(), [0, 0, 0, 0, 0, 0, 0, 0, 0, 6]);
    assertEquals(await balanceOf(db, family), 14 * CLIP_PRICE);
  });
});

Deno.test("clips of two projects that end, are deleted and are asked for at once: nobody waits in a circle", async () => {
  await withDatabase(async (database) => {
    // Not the workers' way, which runs the victim of a deadlock again and so would hide it.
    const db: Sql = { query: (text, values = []) => database.rows(text, [...values]) };
    const family = await newFamily(db, { gems: 100 });
    const projects = [await newProject(db, family, 6), await newProject(db, family, 6)];
    for (const project of projects) {
      await queueClips(db, family, project, { scenes: sceneNumbers(6) });
    }
    const ids = (await Promise.all(projects.map((project) => newestClips(db, family, project))))
      .flat();
    const crossing = [[ids[4], ids[10]], [ids[11], ids[5]], [ids[3], ids[9]], [ids[8], ids[2]]];
    await Promise.all([
      ...crossing.map((some) => deleteVideos(db, family, some)),
      ...[0, 6].map((at) => finishClip(db, ids[at] ?? "")),
      ...[1, 7].map((at) => failClip(db, ids[at] ?? "")),
      ...[...projects, ...projects].map((project) =>
        queueClips(db, family, project, { scenes: sceneNumbers(6) })
      ),
      db.query("update public.projects set title = 'Other' where id = $1", [projects[0]]),
    ]);
    for (const project of projects) {
      const clips = await newestClips(db, family, project);
      assertEquals(Object.keys(await clipsOf(db, project)).sort(), clips.toSorted());
    }
    assertEquals(await brokenInvariants(db), []);
  });
});

Deno.test("while a clip of one project ends, one of the user's other project waits its turn", async () => {
  await withProject({ scenes: 1, clipsPaid: 2 }, async (db, family, project) => {
    const projects = [project, await newProject(db, family, 1)];
    const clips: { id: string; job: string }[] = [];
    for (const each of projects) {
      await queueClips(db, family, each, { scenes: ["1"] });
      const [id = ""] = await newestClips(db, family, each);
      const job = await accept(db, id);
      await deliver(db, job);
      clips.push({ id, job });
    }
    const end = async (sql: Sql, at: number) => {
      const clip = clips[at];
      if (clip === undefined) throw new Error("There is no such clip");
      await finishStoring(sql, clip.job, `somewhere/${clip.id}.mp4`);
    };
    const { waited } = await overlapping(
      db,
      async (sql) => {
        await end(sql, 0);
        // The map is kept at the end of a transaction, which this one is about to reach.
        await sql.query("set constraints public.keep_ended_clips immediate");
      },
      () => end(db, 1),
    );
    assert(waited);
    assertEquals(
      await Promise.all(projects.map((each) => clipsOf(db, each))),
      clips.map(({ id }) => ({ [id]: `somewhere/${id}.mp4` })),
    );
  });
});

function deleteVideos(db: Sql, { userId }: Family, ids: unknown[]) {
  const claims = JSON.stringify({ sub: userId });
  return db.query(
    `select public.delete_videos($1)
     from (select set_config('request.jwt.claims', $2, true) offset 0) c`,
    [ids, claims],
  );
}

Deno.test("a clip ends while the owner changes the scenes: the map shows the scenes of after", async () => {
  await withProject({ scenes: 2 }, async (db, family, project) => {
    await queueClips(db, family, project, { scenes: ["1", "2"] });
    const [first = ""] = await newestClips(db, family, project);
    const { waited } = await overlapping(
      db,
      (sql) =>
        sql.query("update public.projects set frames = $1 where id = $2", ['{"1": {}}', project]),
      () => finishClip(db, first),
    );
    assert(waited);
    assertEquals(await clipsOf(db, project), { [first]: `somewhere/${first}.mp4` });
  });
});

Deno.test("a project is deleted while its clips end: they stay in the gallery", async () => {
  await withProject({ scenes: 4 }, async (db, family, project) => {
    await queueClips(db, family, project, { scenes: sceneNumbers(4) });
    const ids = await newestClips(db, family, project);
    const stranger = await newFamily(db);
    const remove = (who: Family) =>
      asUser(db, who.userId, "select public.delete_project($1)", [project]);
    assertEquals(await stateOf(remove(stranger)), "GM005");
    const jobs = await Promise.all(ids.map(async (id) => ({ id, job: await accept(db, id) })));
    await Promise.all([
      ...jobs.map(({ id, job }) => finishAcceptedClip(db, id, job)),
      remove(family),
    ]);
    const rows = await db.query("select project_id, status from public.videos");
    assertEquals(rows, ids.map(() => ({ project_id: null, status: "completed" })));
    assertEquals(await stateOf(queueClips(db, family, project, { scenes: ["1"] })), "GM005");
  });
});
