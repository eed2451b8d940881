import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import type { Database, Sql } from "../../shared/db/database.ts";
import { finishStoring } from "../../shared/db/store_calls.ts";
import { asUser } from "../support/as_user.ts";
import {
  accept,
  balanceOf,
  brokenInvariants,
  deliver,
  entriesOf,
  failAttempt,
  type Family,
  newFamily,
  queueVideo,
  stateOf,
  value,
} from "../support/fixtures.ts";
import { withDatabase } from "../support/database.ts";
import { addOldVideos } from "../support/old_videos.ts";
import { overlapping } from "../support/overlap.ts";
import { videosRead } from "../support/rows_read.ts";
import { withSql } from "../support/sql.ts";

/** Gems of one clip: 5 seconds at 0.4. */
const PRICE = 2;

/** A user with gems for so many clips, and a project of so many scenes. */
function withProject(
  { scenes, clipsPaid = scenes }: { scenes: number; clipsPaid?: number },
  work: (db: Database, family: Family, project: string) => Promise<void>,
) {
  return withSql(async (db) => {
    const family = await newFamily(db, { gems: clipsPaid * PRICE });
    await work(db, family, await newProject(db, family, scenes));
    assertEquals(await brokenInvariants(db), []);
  });
}

const numbers = (count: number) => Array.from({ length: count }, (_, at) => String(at + 1));

async function newProject(db: Sql, { userId }: Family, scenes: number): Promise<string> {
  const frames = Object.fromEntries(numbers(scenes).map((scene) => [scene, {}]));
  return String(
    await value(
      db,
      "insert into public.projects (user_id, frames) values ($1, $2) returning id as value",
      [userId, JSON.stringify(frames)],
    ),
  );
}

interface Wanted {
  readonly scenes: readonly string[];
  readonly hash?: string;
}

/** Asks for these scenes as the door does. */
function queueClips(db: Sql, family: Family, project: string, { scenes, hash }: Wanted) {
  const asked = scenes.map((scene) => ({
    scene,
    hash: hash ?? `hash of ${scene}`,
    expected_seconds: 60,
    request: {
      ...{ kind: "clip", prompt: "A fox", provider: "runware", model: "pixverse:1@5-fast" },
      options: { duration: 5, resolution: "720p", aspect_ratio: "9:16" },
    },
  }));
  return value(db, "select public.queue_clips($1, $2, $3) as value", [
    family.userId,
    project,
    JSON.stringify(asked),
  ]);
}

const clipsSchema = z.record(z.string(), z.string());

async function clipsOf(db: Sql, project: string) {
  return clipsSchema.parse(
    await value(db, "select clips as value from public.projects where id = $1", [project]),
  );
}

/** Ids of a project's clips in the order of their scenes, the newest of each. */
async function newest(db: Sql, { userId }: Family, project: string): Promise<string[]> {
  const { clips } = z.object({ clips: z.record(z.string(), z.uuid()) }).parse(
    await value(db, "select public.project_state($1, $2) as value", [userId, project]),
  );
  return Object.entries(clips).sort(([a], [b]) => Number(a) - Number(b)).map(([, id]) => id);
}

/** The clip's file is in Storage. */
async function finish(db: Sql, videoId: string): Promise<void> {
  await finishAccepted(db, videoId, await accept(db, videoId));
}

/** So is that of one that the provider has. */
async function finishAccepted(db: Sql, videoId: string, job: string): Promise<void> {
  await deliver(db, job);
  await finishStoring(db, job, `somewhere/${videoId}.mp4`);
}

/** The clip cannot be made. */
async function fail(db: Sql, videoId: string): Promise<void> {
  await failAttempt(db, await accept(db, videoId), { final: true });
}

Deno.test("a project is charged in one entry for each clip, and its map follows them to their end", async () => {
  await withProject({ scenes: 3 }, async (db, family, project) => {
    assertEquals(await queueClips(db, family, project, { scenes: numbers(3) }), 3);
    assertEquals(await balanceOf(db, family), 0);
    const [made = "", failed = "", waiting = ""] = await newest(db, family, project);
    assertEquals(await clipsOf(db, project), {
      [made]: "pending",
      [failed]: "pending",
      [waiting]: "pending",
    });
    await finish(db, made);
    await fail(db, failed);
    assertEquals(await clipsOf(db, project), {
      [made]: `somewhere/${made}.mp4`,
      [failed]: "failed",
      [waiting]: "pending",
    });
    for (const id of [made, waiting]) {
      assertEquals(await entriesOf(db, id), [{ kind: "charge", amount: -PRICE }]);
    }
    assertEquals(await entriesOf(db, failed), [
      { kind: "charge", amount: -PRICE },
      { kind: "refund", amount: PRICE },
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
    const asking = queueClips(db, family, project, { scenes: numbers(12) });
    const error: unknown = await asking.then(() => null, (thrown: unknown) => thrown);
    const { code, detail } = z.object({ code: z.string(), detail: z.string() }).parse(error);
    assertEquals([code, JSON.parse(detail)], ["GM001", { gem_balance: 22, gem_cost: 24 }]);
    assertEquals(await value(db, "select count(*)::int as value from public.videos"), 0);
    assertEquals([await balanceOf(db, family), await clipsOf(db, project)], [22, {}]);
  });
});

Deno.test("a project of 30 scenes is made to its end, and other videos are queued beside it", async () => {
  await withProject({ scenes: 30, clipsPaid: 40 }, async (db, family, project) => {
    assertEquals(await queueClips(db, family, project, { scenes: numbers(30) }), 30);
    await queueVideo(db, family);
    const ids = await newest(db, family, project);
    for (const id of ids) await finish(db, id);
    assertEquals(
      await clipsOf(db, project),
      Object.fromEntries(ids.map((id) => [id, `somewhere/${id}.mp4`])),
    );
    assertEquals(await balanceOf(db, family), 10 * PRICE - 10);
  });
});

Deno.test("who is refused too often for the content starts no project either", async () => {
  await withProject({ scenes: 1, clipsPaid: 1 }, async (db, family, project) => {
    const refused = "insert into app.daily_counts values ($1, 'refused', now(), 20)";
    await db.query(refused, [family.userId]);
    assertEquals(await stateOf(queueClips(db, family, project, { scenes: ["1"] })), "GM013");
    assertEquals(await balanceOf(db, family), PRICE);
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
    assertEquals(await refusal(numbers(101)), ["GM012", never]);
    assertEquals([await balanceOf(db, family), await clipsOf(db, project)], [201 * PRICE, {}]);

    await queueClips(db, family, project, { scenes: numbers(100) });
    const other = await newProject(db, family, 1);
    assertEquals(await refusal(["1"], other), ["GM004", { limit: 100 }]);
    await finish(db, (await newest(db, family, project))[0] ?? "");
    assertEquals(await queueClips(db, family, other, { scenes: ["1"] }), 1);
  });
});

Deno.test("again: only what is missing, failed or was changed is made and charged", async () => {
  await withProject({ scenes: 4, clipsPaid: 6 }, async (db, family, project) => {
    await queueClips(db, family, project, { scenes: ["1", "2", "3"] });
    const [made = "", failed = "", waiting = ""] = await newest(db, family, project);
    await finish(db, made);
    await fail(db, failed);

    assertEquals(await queueClips(db, family, project, { scenes: numbers(4) }), 2);
    const again = await newest(db, family, project);
    assertEquals([again[0], again[2]], [made, waiting]);
    assert(again[1] !== failed);
    // The clip that failed is no longer the newest of its scene.
    assertEquals(Object.keys(await clipsOf(db, project)).sort(), again.toSorted());
    assertEquals(await queueClips(db, family, project, { scenes: numbers(4) }), 0);

    assertEquals(await queueClips(db, family, project, { scenes: ["1"], hash: "other" }), 1);
    assert((await newest(db, family, project))[0] !== made);
    // Six were bought, and one of them came to nothing.
    assertEquals(await balanceOf(db, family), PRICE);
  });
});

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

Deno.test("a clip is the newest of its scene, and charged once, though the clock was set back before it", async () => {
  await withProject({ scenes: 1, clipsPaid: 2 }, async (db, family, project) => {
    const ask = () => queueClips(db, family, project, { scenes: ["1"] });
    await ask();
    const [failed = ""] = await newest(db, family, project);
    await fail(db, failed);
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
    const [made = ""] = await newest(db, family, project);
    await finish(db, made);
    assertEquals(await clipsOf(db, project), { [made]: `somewhere/${made}.mp4` });
    assertEquals([await ask(), await balanceOf(db, family)], [0, PRICE]);
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

Deno.test("two clips that end at once are both in the map", async () => {
  await withProject({ scenes: 12 }, async (db, family, project) => {
    await queueClips(db, family, project, { scenes: numbers(12) });
    const ids = await newest(db, family, project);
    await Promise.all(ids.map((id, at) => at % 3 === 0 ? fail(db, id) : finish(db, id)));
    const clips = await clipsOf(db, project);
    assertEquals(
      ids.map((id) => clips[id]),
      ids.map((id, at) => at % 3 === 0 ? "failed" : `somewhere/${id}.mp4`),
    );
    assertEquals(await balanceOf(db, family), 4 * PRICE);
  });
});

Deno.test("ten times at once: each scene is bought once", async () => {
  await withProject({ scenes: 6, clipsPaid: 20 }, async (db, family, project) => {
    const counts = await Promise.all(
      numbers(10).map(() => queueClips(db, family, project, { scenes: numbers(6) })),
    );
    assertEquals(counts.sort(), [0, 0, 0, 0, 0, 0, 0, 0, 0, 6]);
    assertEquals(await balanceOf(db, family), 14 * PRICE);
  });
});

Deno.test("clips of two projects that end, are deleted and are asked for at once: nobody waits in a circle", async () => {
  await withDatabase(async (database) => {
    // Not the workers' way, which runs the victim of a deadlock again and so would hide it.
    const db: Sql = { query: (text, values = []) => database.rows(text, [...values]) };
    const family = await newFamily(db, { gems: 100 });
    const projects = [await newProject(db, family, 6), await newProject(db, family, 6)];
    for (const project of projects) await queueClips(db, family, project, { scenes: numbers(6) });
    const ids = (await Promise.all(projects.map((project) => newest(db, family, project)))).flat();
    const crossing = [[ids[4], ids[10]], [ids[11], ids[5]], [ids[3], ids[9]], [ids[8], ids[2]]];
    await Promise.all([
      ...crossing.map((some) => deleteVideos(db, family, some)),
      ...[0, 6].map((at) => finish(db, ids[at] ?? "")),
      ...[1, 7].map((at) => fail(db, ids[at] ?? "")),
      ...[...projects, ...projects].map((project) =>
        queueClips(db, family, project, { scenes: numbers(6) })
      ),
      db.query("update public.projects set title = 'Other' where id = $1", [projects[0]]),
    ]);
    for (const project of projects) {
      const clips = await newest(db, family, project);
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
      const [id = ""] = await newest(db, family, each);
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

Deno.test("the map shows the scenes that the project has now", async () => {
  await withProject({ scenes: 2 }, async (db, family, project) => {
    await queueClips(db, family, project, { scenes: ["1", "2"] });
    const [first = "", second = ""] = await newest(db, family, project);
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
    await finish(db, second);
    await asUser(db, family.userId, "select public.delete_videos($1)", [[second]]);
    assertEquals(await clipsOf(db, project), {});
  });
});

Deno.test("a clip ends while the owner changes the scenes: the map shows the scenes of after", async () => {
  await withProject({ scenes: 2 }, async (db, family, project) => {
    await queueClips(db, family, project, { scenes: ["1", "2"] });
    const [first = ""] = await newest(db, family, project);
    const { waited } = await overlapping(
      db,
      (sql) =>
        sql.query("update public.projects set frames = $1 where id = $2", ['{"1": {}}', project]),
      () => finish(db, first),
    );
    assert(waited);
    assertEquals(await clipsOf(db, project), { [first]: `somewhere/${first}.mp4` });
  });
});

Deno.test("a map is written only when it changes", async () => {
  await withProject({ scenes: 1 }, async (db, family, project) => {
    await queueClips(db, family, project, { scenes: ["1"] });
    const version = () =>
      value(db, "select xmin::text as value from public.projects where id = $1", [project]);
    const [id = ""] = await newest(db, family, project);
    const before = await version();
    const job = await accept(db, id);
    await deliver(db, job);
    assertEquals(await version(), before);
    await finishStoring(db, job, `somewhere/${id}.mp4`);
    assert(await version() !== before);
  });
});

Deno.test("a project is deleted while its clips end: they stay in the gallery", async () => {
  await withProject({ scenes: 4 }, async (db, family, project) => {
    await queueClips(db, family, project, { scenes: numbers(4) });
    const ids = await newest(db, family, project);
    const stranger = await newFamily(db);
    const remove = (who: Family) =>
      asUser(db, who.userId, "select public.delete_project($1)", [project]);
    assertEquals(await stateOf(remove(stranger)), "GM005");
    const jobs = await Promise.all(ids.map(async (id) => ({ id, job: await accept(db, id) })));
    await Promise.all([...jobs.map(({ id, job }) => finishAccepted(db, id, job)), remove(family)]);
    const rows = await db.query("select project_id, status from public.videos");
    assertEquals(rows, ids.map(() => ({ project_id: null, status: "completed" })));
    assertEquals(await stateOf(queueClips(db, family, project, { scenes: ["1"] })), "GM005");
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
