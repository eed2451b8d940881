/** POST, cron: tells users, and the app's backend, what became of their videos. */
import { supabaseConfig } from "../../../shared/config.ts";
import { workerDoor } from "../../../shared/http/worker_door.ts";
import type { ChannelName } from "../../../shared/notify/channel.ts";
import { createChannels } from "../../../shared/notify/channels.ts";
import { env } from "../../../shared/runtime.ts";
import { notifyBatch } from "../../../shared/stages/notify.ts";
import { createStorageApi } from "../../../shared/storage/storage_api.ts";

const channels = createChannels(env);
const storage = createStorageApi(supabaseConfig(env));
const missed = new Set<ChannelName>();

export default workerDoor(
  "notify-users",
  { stage: "notify" },
  (tools) => notifyBatch(tools, { channels, storage, missed }),
);
