/** POST, cron: copies delivered files to Storage and completes their videos. */
import { runwareConfig, supabaseConfig } from "../../../shared/config.ts";
import { workerDoor } from "../../../shared/http/worker_door.ts";
import { createProviders } from "../../../shared/providers/registry.ts";
import { env } from "../../../shared/runtime.ts";
import { storeBatch } from "../../../shared/stages/store.ts";
import { createObjectStore } from "../../../shared/storage/object_store.ts";

const providers = createProviders({ runware: runwareConfig(env) });
const store = createObjectStore(supabaseConfig(env));

export default workerDoor(
  "store-videos",
  { stage: "store" },
  (tools) => storeBatch(tools, providers, store),
);
