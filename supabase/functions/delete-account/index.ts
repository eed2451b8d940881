/** POST, user: deletes the caller's account. */
import { deleteAccount } from "../../../shared/doors/delete_account.ts";
import { userDoor } from "../../../shared/http/door.ts";

export default userDoor("delete-account", ["POST"], deleteAccount);
