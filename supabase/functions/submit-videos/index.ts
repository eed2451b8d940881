/** POST, cron: hands queued videos to their providers. */
import { moderationConfig, supabaseConfig, webhookConfig } from "../../../shared/config.ts";
import { workerDoor } from "../../../shared/http/worker_door.ts";
import { moderatorFor } from "../../../shared/moderation/moderator_for.ts";
import { createProviders, modelsOf } from "../../../shared/providers/registry.ts";
import { env } from "../../../shared/runtime.ts";
import { videoTaskBuilder } from "../../../shared/stages/video_task.ts";
import { submitAll } from "../../../shared/stages/submit.ts";
import { createStorageApi } from "../../../shared/storage/storage_api.ts";

const providers = await createProviders(env);
const webhook = webhookConfig(env);
const moderator = moderatorFor(moderationConfig(env));
const storage = createStorageApi(supabaseConfig(env));

export default workerDoor(
  "submit-videos",
  { stage: "submit", gatherMs: 250, lanes: 2 },
  (tools) =>
    submitAll(tools, providers, async (provider) =>
      videoTaskBuilder({
        models: await modelsOf(provider),
        webhook,
        functionName: `${provider}-webhook`,
        storage,
        moderator,
      })),
);
