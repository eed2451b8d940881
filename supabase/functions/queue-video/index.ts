/** POST, user: charges the gems and queues a video, or tells its price. */
import { imageHosts, moderationConfig, supabaseConfig } from "../../../shared/config.ts";
import { queueRequestSchema } from "../../../shared/doors/queue_request.ts";
import { queueVideo } from "../../../shared/doors/queue_video.ts";
import { userDoor } from "../../../shared/http/door.ts";
import { moderatorFor } from "../../../shared/moderation/moderator_for.ts";
import { checkSettings, makersOf, modelsOf } from "../../../shared/providers/registry.ts";
import { env } from "../../../shared/runtime.ts";

checkSettings(env);
const config = {
  projectUrl: supabaseConfig(env).url,
  body: queueRequestSchema({ imageHosts: imageHosts(env) }),
  makers: () => makersOf(env),
  moderator: moderatorFor(moderationConfig(env)),
  modelsOf,
};

export default userDoor(
  "queue-video",
  ["POST"],
  (request, visit) => queueVideo(request, visit, config),
);
