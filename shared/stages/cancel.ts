/**
 * Cancelling: tells a provider to stop what nobody wants any more, so that it is neither made nor
 * billed in full. Which tasks those are was written down when their attempts ended. A worker that dies
 * between the call and its record leaves a task that is told to stop again, which changes nothing.
 */
import { dueCancellations, finishCancellations } from "../db/cancel_calls.ts";
import { inParallel } from "../in_parallel.ts";
import type { VideoProvider } from "../providers/provider.ts";
import type { WorkerTools } from "./worker_tools.ts";

/** Tasks taken at once. */
const BATCH = 20;
/** Calls at work at once. */
const AT_ONCE = 10;

/** Tells a provider to stop one batch. Answers how many were due; none where it has no way to stop. */
export async function cancelBatch(
  { database, log }: Pick<WorkerTools, "database" | "log">,
  provider: VideoProvider,
): Promise<number> {
  if (provider.cancel === undefined) return 0;
  const { name, cancel } = provider;
  const due = await dueCancellations(database, { provider: name, most: BATCH });
  if (due.length === 0) return 0;
  const over = await inParallel(due, AT_ONCE, async (task) => {
    const { video_job_id, provider_task_id, is_last } = task;
    const told = await cancel(provider_task_id);
    if (told.outcome !== "unknown") return [video_job_id];
    const { kind, code } = told.error;
    const about = { provider: name, video_job_id, provider_task_id, kind, code };
    if (!is_last) {
      log.warn("A task could not be cancelled, it is tried again", about);
      return [];
    }
    log.error("A task could not be cancelled and is given up: it may be made and billed", about);
    return [video_job_id];
  });
  await finishCancellations(database, over.flat());
  log.info("Cancelled", { provider: name, due: due.length, over: over.flat().length });
  return due.length;
}
