/**
 * Storing: copies delivered files to Storage, a few at a time, each streamed. The path is the
 * video's own, so a second copy after a crash meets the first and is done.
 */
import type { QueueJob } from "../db/queue.ts";
import {
  type DeliveredFile,
  failStoring,
  finishStoring,
  putBehind,
  startStoring,
} from "../db/store_calls.ts";
import { withoutQueries } from "../log.ts";
import type { VideoProvider } from "../providers/provider.ts";
import { inTime, unlessAborted } from "../storage/in_time.ts";
import { type Media, MediaError, openMedia } from "../storage/media_fetch.ts";
import { VIDEOS } from "../storage/media_types.ts";
import { type ObjectStore, StorageError } from "../storage/object_store.ts";
import type { OpenPicture } from "../storage/pictures.ts";
import type { Batch } from "./batch_of_each.ts";
import { takeJobs } from "./take_jobs.ts";
import { storeThumbnail } from "./thumbnail.ts";
import type { WorkerTools } from "./worker_tools.ts";

/** Files copied at once by one worker. */
const AT_ONCE = 4;
/**
 * A copy that takes longer, with whatever it asks the provider, is given up and tried again. That is well
 * before the queue takes its worker for dead (300 s).
 */
const COPY_TIMEOUT_MS = 60_000;
/** With the last copy a drain ends within the 75 s that an isolate has for it: see drain.ts. */
export const STORE_BUDGET_MS = 10_000;
/** An error that no further try will mend. */
const HOPELESS = "too_large";
/** What another hour may bring: the host is down, or cuts files short, or is new and not in our list. */
const PASSING: ReadonlySet<string> = new Set(["unavailable", "cut", "host_not_allowed"]);
/** What is not there may only not be there yet, and wrong content be a page that says "later". */
const GONE_AFTER_SECONDS = 600;
/**
 * What Storage says of a file that it will never take. Everything else is its own trouble, or ours; a key
 * or a token that is not valid is a 400 like much else.
 */
const REFUSED: ReadonlySet<number> = new Set([413, 415, 422]);
/** The link may be dead, or lead elsewhere than it did; the provider may have a fresh one. */
const ASK_ANEW = new Set(["gone", "wrong_content", "host_not_allowed"]);

const noPictures: OpenPicture = () => Promise.resolve(null);

/** How a batch is copied. */
export interface StoreOptions {
  /** Milliseconds for one copy. */
  readonly timeoutMs?: number;
}

/** Copies one batch. Without `openPicture` no thumbnails are kept. */
export async function storeBatch(
  { database, queue, log }: WorkerTools,
  providers: ReadonlyMap<string, VideoProvider>,
  store: ObjectStore,
  openPicture: OpenPicture = noPictures,
  { timeoutMs = COPY_TIMEOUT_MS }: StoreOptions = {},
): Promise<Batch> {
  const { jobs, rows: files } = await database.transaction(async (sql) => {
    return await takeJobs(
      sql,
      { queue, name: "store-video", most: AT_ONCE },
      (ids) => startStoring(sql, ids),
      ({ video_job_id: id, started }) => ({ id, started }),
    );
  });
  // All of them end before this does, so that none is cut off because another one failed.
  const copies = await Promise.allSettled(files.map((file) => {
    const job = jobs.find((one) => one.id === file.video_job_id);
    return job === undefined ? undefined : storeOne(file, job);
  }));
  const failed = copies.find((one) => one.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return { taken: jobs.length, fullness: jobs.length / AT_ONCE };

  async function storeOne(file: DeliveredFile, job: QueueJob): Promise<void> {
    const provider = providers.get(file.provider);
    if (provider === undefined) return await leave(file, job);
    const hosts = provider.mediaHosts;
    const keeping = storeThumbnail(file, { open: openPicture, store, log, hosts });
    try {
      await inTime(timeoutMs, (signal) => copy(file, provider, signal));
    } catch (error) {
      await keeping;
      return await giveUpOrRetry(file, job, error);
    }
    const thumbnail = await keeping;
    const completed = await database.transaction(async (sql) => {
      const { video_job_id, storage_path } = file;
      const completed = await finishStoring(sql, video_job_id, storage_path, thumbnail);
      await queue.complete(sql, "store-video", [job]);
      return completed;
    });
    log.info(completed ? "Stored" : "A file was copied for a video that was over by then", {
      video_id: file.video_id,
    });
  }

  async function copy(
    file: DeliveredFile,
    provider: VideoProvider,
    signal: AbortSignal,
  ): Promise<void> {
    const { body, problem, type: { contentType } } = await openFile(file, provider, signal);
    try {
      await store.put(file.storage_path, body, { contentType, signal });
    } catch (error) {
      throw problem() ?? error;
    }
  }

  /** For a worker that has the provider's key: it knows the hosts, and this one would trust none. */
  async function leave({ video_id, provider }: DeliveredFile, job: QueueJob): Promise<void> {
    log.warn("A file waits for a provider that has no key here", { video_id, provider });
    await database.transaction((sql) =>
      queue.retryLater(sql, "store-video", [job], "provider_not_configured")
    );
  }

  async function giveUpOrRetry(file: DeliveredFile, job: QueueJob, error: unknown): Promise<void> {
    const code = error instanceof MediaError ? error.code : "copy_failed";
    const isOurs = code === "host_not_allowed";
    log[isOurs ? "error" : "warn"]("A file could not be stored", {
      video_id: file.video_id,
      code,
      error,
      ...(isOurs ? { provider: file.provider, host: hostOf(file.result_url) } : {}),
    });
    await database.transaction(async (sql) => {
      if (code === HOPELESS || (job.isLastTry && !mayPass(error, file))) {
        const message = withoutQueries(error instanceof Error ? error.message : String(error));
        await failStoring(sql, file.video_job_id, code, { message });
        await queue.complete(sql, "store-video", [job]);
      } else {
        await queue.retryLater(sql, "store-video", [job], code);
        // A host that hangs takes four places at a time: what was not tried yet goes first.
        await putBehind(sql, "store-video", job.id);
      }
    });
  }
}

/**
 * Whether the trouble is not the file's. Then the queue's last try is no end: `app.reconcile` asks again
 * until `storing_deadline_minutes` are over.
 */
function mayPass(error: unknown, { seconds_waiting }: DeliveredFile): boolean {
  if (error instanceof MediaError) {
    return PASSING.has(error.code) || seconds_waiting < GONE_AFTER_SECONDS;
  }
  return !(error instanceof StorageError && REFUSED.has(error.status));
}

function hostOf(url: string): string {
  return URL.parse(url)?.host ?? "none";
}

/** Opens the file at its link, or at a fresh one where that is of no use any more. */
async function openFile(
  { result_url, provider_task_id }: DeliveredFile,
  provider: VideoProvider,
  signal: AbortSignal,
): Promise<Media> {
  const fetching = { hosts: provider.mediaHosts, wanted: VIDEOS, signal };
  try {
    return await openMedia(result_url, fetching);
  } catch (error) {
    if (!(error instanceof MediaError && ASK_ANEW.has(error.code))) throw error;
    // A call to a provider has a time limit of its own, which may end after the copy's.
    const [state] = await unlessAborted(signal, provider.poll([provider_task_id]));
    if (state?.state !== "succeeded" || state.videoUrl === result_url) throw error;
    return await openMedia(state.videoUrl, fetching);
  }
}
