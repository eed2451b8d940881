/** POST, user: how a project's clips stand. */
import { checkClipsStatus } from "../../../shared/doors/generate_clips.ts";
import { userDoor } from "../../../shared/http/door.ts";

export default userDoor("check-clips-status", ["POST"], checkClipsStatus);
