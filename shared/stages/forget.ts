/**
 * Forgetting: what a transaction has written down to be deleted and can not delete itself. Files go
 * through Storage, sign-ins through Auth, very many rows and messages bit by bit. Each step is safe to repeat, so a worker that dies anywhere
 * leaves only work that comes due again.
 */
import type { AuthAdmin } from "../auth_admin.ts";
import type { Database } from "../db/database.ts";
import {
  beginErasure,
  dueDeletions,
  type Erasure,
  finishDeletions,
  finishErasure,
  forgetMessages,
  forgetOldVideos,
  forgetRows,
  openErasures,
} from "../db/forget_calls.ts";
import type { WorkerTools } from "../http/worker_door.ts";
import type { StorageApi } from "../storage/storage_api.ts";

/** Deletions taken at once: each a call to Storage. */
const BATCH = 50;
/** Rounds of one visit; what is left is due the next minute. */
const ROUNDS = 20;
/** Videos past their retention deleted in one transaction. */
const OLD_VIDEOS = 200;

/** What a visit did. */
export interface ForgetReport {
  readonly objects_deleted: number;
  readonly old_videos_deleted: number;
  readonly erasures_finished: number;
}

/** What is asked to forget beside the database. */
export interface Forgetters {
  readonly storage: StorageApi;
  readonly auth: AuthAdmin;
}

/** Does what is due. Whoever does not answer is logged and asked again by a later visit. */
export async function forget(
  tools: Pick<WorkerTools, "database" | "log">,
  forgetters: Forgetters,
): Promise<ForgetReport> {
  const old_videos_deleted = await deleteOldVideos(tools);
  const objects_deleted = await deleteObjects(tools, forgetters.storage);
  const erasures_finished = await finishErasures(tools, forgetters.auth);
  return { objects_deleted, old_videos_deleted, erasures_finished };
}

async function deleteOldVideos({ database }: Pick<WorkerTools, "database">): Promise<number> {
  let total = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const deleted = await database.transaction((sql) => forgetOldVideos(sql, OLD_VIDEOS));
    total += deleted;
    if (deleted < OLD_VIDEOS) break;
  }
  return total;
}

async function deleteObjects(
  { database, log }: Pick<WorkerTools, "database" | "log">,
  storage: StorageApi,
): Promise<number> {
  let total = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const due = await dueDeletions(database, BATCH);
    if (due.length === 0) break;
    const done = [];
    for (const deletion of due) {
      const { bucket_id, prefix, names } = deletion;
      try {
        if (names.length > 0) await storage.remove(bucket_id, names);
        total += names.length;
        done.push(deletion);
      } catch (error) {
        log.warn("Objects could not be deleted, they are tried again", {
          bucket_id,
          prefix,
          error,
        });
      }
    }
    await finishDeletions(database, done);
  }
  return total;
}

async function finishErasures(
  { database, log }: Pick<WorkerTools, "database" | "log">,
  auth: AuthAdmin,
): Promise<number> {
  let finished = 0;
  for (const erasure of await openErasures(database, BATCH)) {
    const erasure_id = erasure.id;
    try {
      await beginErasure(database, erasure);
      if (await finishOne(database, auth, erasure)) {
        finished += 1;
        log.info("An account is forgotten", { erasure_id });
      }
    } catch (error) {
      log.warn("An account could not be closed, it is tried again", { erasure_id, error });
    }
  }
  return finished;
}

/** Rows before the sign-in, which would take all of them along at once; messages when nobody writes any. */
async function finishOne(database: Database, auth: AuthAdmin, erasure: Erasure): Promise<boolean> {
  while (!await database.transaction((sql) => forgetRows(sql, erasure)));
  await auth.deleteUser(erasure.user_id);
  while (!await database.transaction((sql) => forgetMessages(sql, erasure)));
  return await finishErasure(database, erasure);
}
