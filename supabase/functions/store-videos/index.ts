/** POST, cron: copies delivered files to Storage and completes their videos. */
import { imageHosts, supabaseConfig } from "../../../shared/config.ts";
import { workerDoor } from "../../../shared/http/worker_door.ts";
import { createProviders } from "../../../shared/providers/registry.ts";
import { env } from "../../../shared/runtime.ts";
import { STORE_BUDGET_MS, storeBatch } from "../../../shared/stages/store.ts";
import { createObjectStore } from "../../../shared/storage/object_store.ts";
import { createPictures } from "../../../shared/storage/pictures.ts";

const providers = await createProviders(env);
const project = supabaseConfig(env);
const store = createObjectStore(project);
const pictures = createPictures(project, { hosts: imageHosts(env) });

export default workerDoor(
  "store-videos",
  { stage: "store", budgetMs: STORE_BUDGET_MS },
  (tools) => storeBatch(tools, providers, store, pictures),
);
