/** POST, user: cancels a video and gives gems back. */
import { cancelVideo } from "../../../shared/doors/cancel_video.ts";
import { userDoor } from "../../../shared/http/door.ts";

export default userDoor("cancel-video", ["POST"], cancelVideo);
