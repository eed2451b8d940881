/** POST, user: waits for a video of generate-video, as long as an answer may take. */
import { waitVideo } from "../../../shared/doors/wait_video.ts";
import { adminClient } from "../../../shared/http/admin_client.ts";
import { userDoor } from "../../../shared/http/door.ts";
import { withErrorTypes } from "../../../shared/http/error_types.ts";
import { createLog } from "../../../shared/log.ts";
import { isolateEnd } from "../../../shared/runtime.ts";
import { readChanges } from "../../../shared/status/read.ts";
import { createVideoWatcher } from "../../../shared/status/watcher.ts";

const watcher = createVideoWatcher({
  read: (known) => readChanges(adminClient(), known),
  log: createLog({ function: "wait-video" }),
});

export default withErrorTypes(userDoor(
  "wait-video",
  ["POST"],
  (request, visit) => waitVideo(request, visit, { watcher, isolateEnd }),
));
