/** GET, user: where videos stand, with fresh links to finished ones. */
import { videoStatus } from "../../../shared/doors/video_status.ts";
import { userDoor } from "../../../shared/http/door.ts";

export default userDoor("video-status", ["GET"], videoStatus);
