/** POST, user: makes the clips of a project's scenes, and waits a while for them. */
import { imageHosts, moderationConfig } from "../../../shared/config.ts";
import { generateClips } from "../../../shared/doors/generate_clips.ts";
import { userDoor } from "../../../shared/http/door.ts";
import { moderatorFor } from "../../../shared/moderation/moderator_for.ts";
import { makersOf } from "../../../shared/providers/registry.ts";
import { env, isolateEnd } from "../../../shared/runtime.ts";
import { isolateWatcher } from "../../../shared/status/isolate_watcher.ts";

const config = {
  imageHosts: imageHosts(env),
  makers: await makersOf(env),
  moderator: moderatorFor(moderationConfig(env)),
};
const watcher = isolateWatcher("generate-clips");

export default userDoor(
  "generate-clips",
  ["POST"],
  (request, visit) => generateClips(request, visit, { config, watcher, isolateEnd }),
);
