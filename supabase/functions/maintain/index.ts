/** POST, cron: finds lost work, brings it back, checks the invariants, deletes what is to be forgotten. */
import { createAuthAdmin } from "../../../shared/auth_admin.ts";
import { supabaseConfig } from "../../../shared/config.ts";
import { maintenanceDoor } from "../../../shared/http/worker_door.ts";
import { env } from "../../../shared/runtime.ts";
import { forget } from "../../../shared/stages/forget.ts";
import { maintain } from "../../../shared/stages/maintain.ts";
import { createStorageApi } from "../../../shared/storage/storage_api.ts";

const project = supabaseConfig(env);
const forgetters = { storage: createStorageApi(project), auth: createAuthAdmin(project) };

export default maintenanceDoor(
  "maintain",
  (tools) => maintain(tools, () => forget(tools, forgetters)),
);
