/** Cancelling a video. */
import { z } from "zod";
import { readJson } from "../http/body.ts";
import type { UserVisit } from "../http/door.ts";
import { fromRpcError } from "../http/http_error.ts";
import { type CancelledAnswer, cancelledAnswer } from "./answers.ts";
import { id } from "./fields.ts";

/** The body of cancel-video. */
export const cancelVideoBody = z.strictObject({ video_id: id });
const cancelled = cancelledAnswer.omit({ success: true });

/** POST cancel-video `{video_id}`: 200 with what came back; 409 when the video is past cancelling. */
export async function cancelVideo(
  request: Request,
  visit: UserVisit,
): Promise<Response> {
  const { video_id } = await readJson(request, cancelVideoBody);
  const { data, error } = await visit.admin().rpc("cancel_video", {
    p_user_id: visit.userId,
    p_video_id: video_id,
  });
  if (error) throw fromRpcError(error);
  const answer = cancelled.parse(data);
  visit.log.info("Cancelled", {
    video_id,
    gems_refunded: answer.gems_refunded,
  });
  return Response.json({ success: true, ...answer } satisfies CancelledAnswer);
}
