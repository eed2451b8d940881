/** POST and GET, user: text-to-video with Runway, and how a task stands. */
import { moderationConfig } from "../../../shared/config.ts";
import { generateVideo } from "../../../shared/doors/generate_video.ts";
import { orderPlacer } from "../../../shared/doors/queue_orders.ts";
import { adminClient } from "../../../shared/http/admin_client.ts";
import { userDoor } from "../../../shared/http/door.ts";
import { withErrorTypes } from "../../../shared/http/error_types.ts";
import { moderatorFor } from "../../../shared/moderation/moderator_for.ts";
import { makersOf } from "../../../shared/providers/registry.ts";
import { env } from "../../../shared/runtime.ts";

const config = {
  makers: await makersOf(env),
  moderator: moderatorFor(moderationConfig(env)),
  placeOrder: orderPlacer(adminClient),
};

export default withErrorTypes(userDoor(
  "generate-video",
  ["GET", "POST"],
  (request, visit) => generateVideo(request, visit, config),
));
