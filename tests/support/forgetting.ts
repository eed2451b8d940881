/** Having things forgotten, in tests of the database alone. */
import type { Database } from "../../shared/db/database.ts";
import { finishStoring } from "../../shared/db/store_calls.ts";
import { forget, type ForgetReport, type Forgetters } from "../../shared/stages/forget.ts";
import { accept, deliver, type Family, queueVideo } from "./fixtures.ts";
import { quiet } from "./sql.ts";

/** Takes a video of this family to its end; its file's row and its thumbnail's are in Storage. */
export async function finished(db: Database, family: Family): Promise<string> {
  const { video_id } = await queueVideo(db, family, { hash: crypto.randomUUID() });
  const job = await accept(db, video_id);
  await deliver(db, job);
  const path = `${family.userId}/videos/${video_id}`;
  await finishStoring(db, job, `${path}.mp4`);
  await db.query(
    "insert into storage.objects (bucket_id, name) select 'videos', $1 || e from unnest(array['.mp4', '.jpg']) e",
    [path],
  );
  return video_id;
}

/** Storage and Auth that do as they are told, in the database. */
export function obedient(db: Database): Forgetters {
  return {
    storage: {
      signedUrl: () => Promise.reject(new Error("Nothing is signed here")),
      async remove(bucket, names) {
        await db.query("delete from storage.objects where bucket_id = $1 and name = any ($2)", [
          bucket,
          names,
        ]);
      },
    },
    auth: {
      async deleteUser(userId) {
        await db.query("delete from auth.users where id = $1", [userId]);
      },
    },
  };
}

/** One visit of the worker that forgets. */
export function visit(db: Database): Promise<ForgetReport> {
  return forget({ database: db, log: quiet }, obedient(db));
}

/** Lets the time pass in which a worker might still be writing a file. */
export async function pause(db: Database): Promise<void> {
  await db.query(
    "update app.objects_to_delete set written_until = written_until - interval '131 minutes', try_at = now()",
  );
}
