/** GET, user: the state of videos: now, at the next change, or as a stream. */
import { videoStatus } from "../../../shared/doors/video_status.ts";
import { adminClient } from "../../../shared/http/admin_client.ts";
import { userDoor } from "../../../shared/http/door.ts";
import { createLog } from "../../../shared/log.ts";
import { isolateEnd } from "../../../shared/runtime.ts";
import { readChanges } from "../../../shared/status/read.ts";
import { createVideoWatcher } from "../../../shared/status/watcher.ts";

const watcher = createVideoWatcher({
  read: (known) => readChanges(adminClient(), known),
  log: createLog({ function: "video-status" }),
});

export default userDoor(
  "video-status",
  ["GET"],
  (request, visit) => videoStatus(request, visit, { watcher, isolateEnd }),
);
