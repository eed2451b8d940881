/** GET, user: the state of videos: now, at the next change, or as a stream. */
import { videoStatus } from "../../../shared/doors/video_status.ts";
import { userDoor } from "../../../shared/http/door.ts";
import { isolateEnd } from "../../../shared/runtime.ts";
import { isolateWatcher } from "../../../shared/status/isolate_watcher.ts";

const watcher = isolateWatcher("video-status");

export default userDoor(
  "video-status",
  ["GET"],
  (request, visit) => videoStatus(request, visit, { watcher, isolateEnd }),
);
