/** POST, user: charges the gems and queues a video, or tells its price. */
import { imageHosts, moderationConfig, supabaseConfig } from "../../../shared/config.ts";
import { orderPlacer } from "../../../shared/doors/queue_orders.ts";
import { queueRequestSchemas } from "../../../shared/doors/queue_request.ts";
import { queueVideo } from "../../../shared/doors/queue_video.ts";
import { adminClient } from "../../../shared/http/admin_client.ts";
import { userDoor } from "../../../shared/http/door.ts";
import { moderatorFor } from "../../../shared/moderation/moderator_for.ts";
import { checkSettings, makersOf, modelsOf } from "../../../shared/providers/registry.ts";
import { env } from "../../../shared/runtime.ts";

checkSettings(env);
const config = {
  projectUrl: supabaseConfig(env).url,
  body: queueRequestSchemas({ imageHosts: imageHosts(env) }),
  makers: () => makersOf(env),
  moderator: moderatorFor(moderationConfig(env)),
  modelsOf,
  placeOrder: orderPlacer(adminClient),
};

export default userDoor(
  "queue-video",
  ["POST"],
  (request, visit) => queueVideo(request, visit, config),
);
