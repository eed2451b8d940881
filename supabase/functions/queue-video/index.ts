/** POST, user: charges the gems and queues a video, or tells its price. */
import { imageHosts, moderationConfig, supabaseConfig } from "../../../shared/config.ts";
import { orderPlacer } from "../../../shared/doors/queue_orders.ts";
import { schemaChooser } from "../../../shared/doors/queue_request.ts";
import { queueVideo } from "../../../shared/doors/queue_video.ts";
import { adminClient } from "../../../shared/http/admin_client.ts";
import { userDoor } from "../../../shared/http/door.ts";
import { checkSettings, makersOf, modelsOf } from "../../../shared/providers/registry.ts";
import { env } from "../../../shared/runtime.ts";

checkSettings(env);
const service = moderationConfig(env);
const config = {
  projectUrl: supabaseConfig(env).url,
  body: schemaChooser({ imageHosts: imageHosts(env) }),
  makers: () => makersOf(env),
  // Imported by the first who writes words of their own: most calls are for rhymes.
  moderator: async () =>
    (await import("../../../shared/moderation/moderator_for.ts")).moderatorFor(service),
  modelsOf,
  placeOrder: orderPlacer(adminClient),
};

export default userDoor(
  "queue-video",
  ["POST"],
  (request, visit) => queueVideo(request, visit, config),
);
