/**
 * Forgetting: what a transaction has written down to be deleted and cannot delete itself. Files go
 * through Storage, sign-ins through Auth, very many rows and messages bit by bit. Each step is safe
 * to repeat, so a worker that dies anywhere leaves only work that comes due again.
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
import type { StorageApi } from "../storage/storage_api.ts";
import type { WorkerTools } from "./worker_tools.ts";

/** Deletions taken at once, each a call to Storage, made together. */
const AT_ONCE = 10;
/** Erasures looked at in one round. */
const ERASURES = 50;
/** Videos past their retention deleted in one transaction. */
const OLD_VIDEOS = 200;
/**
 * How long each part of a round goes on beginning something, in milliseconds; what is left is due the next
 * minute. Each has its own, so that a slow Storage leaves time for the accounts. With the last calls, of
 * at most 20 s, a round ends within the 75 s that an isolate has for it: see drain.ts.
 */
const BUDGETS = { oldVideos: 5_000, objects: 10_000, erasures: 5_000 } as const;

/** What a round did. */
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

/** Whether a part of the round has used up its time. */
type Late = () => boolean;

/**
 * Does what is due. Whoever does not answer is logged and asked again by a later round. A part that fails
 * keeps no other from its turn; when all have had theirs, the round fails with what was thrown.
 */
export async function forget(
  tools: Pick<WorkerTools, "database" | "log">,
  { storage, auth }: Forgetters,
  now: () => number = () => performance.now(),
): Promise<ForgetReport> {
  const within = (budget: number): Late => {
    const end = now() + budget;
    return () => now() >= end;
  };
  const failures: unknown[] = [];
  const part = (work: Promise<number>): Promise<number> =>
    work.catch((error: unknown) => {
      failures.push(error);
      return 0;
    });
  const old_videos_deleted = await part(deleteOldVideos(tools, within(BUDGETS.oldVideos)));
  const objects_deleted = await part(deleteObjects(tools, storage, within(BUDGETS.objects)));
  const erasures_finished = await part(finishErasures(tools, auth, within(BUDGETS.erasures)));
  if (failures.length > 0) throw failures[0];
  return { objects_deleted, old_videos_deleted, erasures_finished };
}

async function deleteOldVideos(
  { database }: Pick<WorkerTools, "database">,
  late: Late,
): Promise<number> {
  let total = 0;
  while (!late()) {
    const deleted = await database.transaction((sql) => forgetOldVideos(sql, OLD_VIDEOS));
    total += deleted;
    if (deleted < OLD_VIDEOS) break;
  }
  return total;
}

async function deleteObjects(
  { database, log }: Pick<WorkerTools, "database" | "log">,
  storage: StorageApi,
  late: Late,
): Promise<number> {
  let total = 0;
  while (!late()) {
    const due = await dueDeletions(database, AT_ONCE);
    if (due.length === 0) break;
    const done = await Promise.all(due.map(async (deletion) => {
      const { bucket_id, prefix, names } = deletion;
      try {
        if (names.length > 0) await storage.remove(bucket_id, names);
        total += names.length;
        return [deletion];
      } catch (error) {
        log.warn("Objects could not be deleted, they are tried again", {
          bucket_id,
          prefix,
          error,
        });
        return [];
      }
    }));
    await finishDeletions(database, done.flat());
  }
  return total;
}

async function finishErasures(
  { database, log }: Pick<WorkerTools, "database" | "log">,
  auth: AuthAdmin,
  late: Late,
): Promise<number> {
  let finished = 0;
  for (const erasure of await openErasures(database, ERASURES)) {
    if (late()) break;
    const erasure_id = erasure.id;
    try {
      await beginErasure(database, erasure);
      if (await finishOne(database, auth, { erasure, late })) {
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
async function finishOne(
  database: Database,
  auth: AuthAdmin,
  { erasure, late }: { readonly erasure: Erasure; readonly late: Late },
): Promise<boolean> {
  while (!await database.transaction((sql) => forgetRows(sql, erasure))) if (late()) return false;
  await auth.deleteUser(erasure.user_id);
  while (!await database.transaction((sql) => forgetMessages(sql, erasure))) {
    if (late()) return false;
  }
  return await finishErasure(database, erasure);
}
