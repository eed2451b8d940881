/** POST, user: charges the gems and queues a video. */
import { avatarHosts } from "../../../shared/config.ts";
import { queueVideo } from "../../../shared/doors/queue_video.ts";
import { userDoor } from "../../../shared/http/door.ts";
import { modelsOf } from "../../../shared/providers/models.ts";
import { env } from "../../../shared/runtime.ts";

export default userDoor(
  "queue-video",
  ["POST"],
  (request, visit) => queueVideo(request, visit, { avatarHosts: avatarHosts(env), modelsOf }),
);
