/** Waiting for a video of `generate-video`. */
import { z } from "zod";
import { type Backoff, backoffTotal } from "../domain/backoff.ts";
import { readJson } from "../http/body.ts";
import type { UserVisit } from "../http/door.ts";
import { HttpError } from "../http/http_error.ts";
import { isOver } from "../status/video_state.ts";
import { LONGEST_WAIT, type WatchTools, whenAllOver } from "../status/wait.ts";
import { id } from "./fields.ts";
import { taskAnswer } from "./generate_video.ts";
import { readTaskVideo, taskOf } from "./video_task_state.ts";

/** What `wait-video` is asked. Delays are milliseconds. */
export const waitVideoBody = z.strictObject({
  taskId: id,
  initialDelay: z.int().min(0).max(600_000).default(5_000),
  maxDelay: z.int().min(0).max(600_000).default(60_000),
  maxAttempts: z.int().min(1).max(1_000).default(60),
  backoffMultiplier: z.number().min(1).max(10).default(1.5),
});

/** What `wait-video` answers. */
export const waitedAnswer = taskAnswer.extend({
  timed_out: z.boolean().meta({
    description: "The video is not over yet and goes on by itself: ask again.",
  }),
  error_type: z.literal("TIMEOUT").optional().meta({
    description: "Where timed_out is true. Nothing failed; why a task did is told by the task.",
  }),
});
type WaitedAnswer = z.infer<typeof waitedAnswer>;

/**
 * POST wait-video: answers as soon as the task is over, or when the looks that the options allow would
 * have been taken, and always before an answer would come too late for the platform.
 */
export async function waitVideo(
  request: Request,
  visit: UserVisit,
  { watcher, isolateEnd }: WatchTools,
): Promise<Response> {
  const { taskId, ...options } = await readJson(request, waitVideoBody);
  const found = await readTaskVideo(visit, taskId);
  // Whether it is such a task at all is said before the wait.
  await taskOf(visit, found);
  const [video] = await whenAllOver([found], {
    watcher,
    milliseconds: patience(options),
    signals: [request.signal, isolateEnd],
  });
  if (video === undefined) {
    throw new HttpError(404, "not_found", "The task was deleted meanwhile", {
      details: [{ field: "taskId", message: "is not there any more" }],
    });
  }
  const timedOut = !isOver(video);
  return Response.json(
    {
      success: true,
      timed_out: timedOut,
      ...(timedOut ? { error_type: "TIMEOUT" } : {}),
      videoTask: await taskOf(visit, video),
    } satisfies WaitedAnswer,
  );
}

function patience(options: Backoff): number {
  return Math.min(backoffTotal(options), LONGEST_WAIT * 1_000);
}
