/** Projects and their clips, as tests order and end them. */
import { assertEquals } from "@std/assert";
import { z } from "zod";
import type { Database, Sql } from "../../shared/db/database.ts";
import { finishStoring } from "../../shared/db/store_calls.ts";
import {
  accept,
  brokenInvariants,
  deliver,
  failAttempt,
  type Family,
  newFamily,
  value,
} from "./fixtures.ts";
import { withSql } from "./sql.ts";

/** Gems of one clip: 5 seconds at 0.4. */
export const CLIP_PRICE = 2;

/** A user with gems for so many clips, and a project of so many scenes. */
export function withProject(
  { scenes, clipsPaid = scenes }: { scenes: number; clipsPaid?: number },
  work: (db: Database, family: Family, project: string) => Promise<void>,
) {
  return withSql(async (db) => {
    const family = await newFamily(db, { gems: clipsPaid * CLIP_PRICE });
    await work(db, family, await newProject(db, family, scenes));
    assertEquals(await brokenInvariants(db), []);
  });
}

export const sceneNumbers = (count: number) =>
  Array.from({ length: count }, (_, at) => String(at + 1));

export async function newProject(db: Sql, { userId }: Family, scenes: number): Promise<string> {
  const frames = Object.fromEntries(sceneNumbers(scenes).map((scene) => [scene, {}]));
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
export function queueClips(db: Sql, family: Family, project: string, { scenes, hash }: Wanted) {
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

export async function clipsOf(db: Sql, project: string) {
  return clipsSchema.parse(
    await value(db, "select clips as value from public.projects where id = $1", [project]),
  );
}

/** Ids of a project's clips in the order of their scenes, the newest of each. */
export async function newestClips(db: Sql, { userId }: Family, project: string): Promise<string[]> {
  const { clips } = z.object({ clips: z.record(z.string(), z.uuid()) }).parse(
    await value(db, "select public.project_state($1, $2) as value", [userId, project]),
  );
  return Object.entries(clips).sort(([a], [b]) => Number(a) - Number(b)).map(([, id]) => id);
}

/** The clip's file is in Storage. */
export async function finishClip(db: Sql, videoId: string): Promise<void> {
  await finishAcceptedClip(db, videoId, await accept(db, videoId));
}

/** So is that of one that the provider has. */
export async function finishAcceptedClip(db: Sql, videoId: string, job: string): Promise<void> {
  await deliver(db, job);
  await finishStoring(db, job, `somewhere/${videoId}.mp4`);
}

/** The clip cannot be made. */
export async function failClip(db: Sql, videoId: string): Promise<void> {
  await failAttempt(db, await accept(db, videoId), { final: true });
}
