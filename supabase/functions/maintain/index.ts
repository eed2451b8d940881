/** POST, cron: finds lost work, brings it back, checks the books. */
import { maintenanceDoor } from "../../../shared/http/worker_door.ts";
import { maintain } from "../../../shared/stages/maintain.ts";

export default maintenanceDoor("maintain", maintain);
