/** POST, user: waits for a video of generate-video, as long as an answer may take. */
import { waitVideo } from "../../../shared/doors/wait_video.ts";
import { userDoor } from "../../../shared/http/door.ts";
import { withErrorTypes } from "../../../shared/http/error_types.ts";
import { isolateEnd } from "../../../shared/runtime.ts";
import { isolateWatcher } from "../../../shared/status/isolate_watcher.ts";

const watcher = isolateWatcher("wait-video");

export default withErrorTypes(userDoor(
  "wait-video",
  ["POST"],
  (request, visit) => waitVideo(request, visit, { watcher, isolateEnd }),
));
