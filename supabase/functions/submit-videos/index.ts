/** POST, cron: hands queued videos to the provider. */
import { runwareConfig, webhookConfig } from "../../../shared/config.ts";
import { workerDoor } from "../../../shared/http/worker_door.ts";
import { modelsOf } from "../../../shared/providers/models.ts";
import { createProviders } from "../../../shared/providers/registry.ts";
import { env } from "../../../shared/runtime.ts";
import { rhymeTaskBuilder } from "../../../shared/stages/rhyme_task.ts";
import { submitAll } from "../../../shared/stages/submit.ts";

const providers = createProviders({ runware: runwareConfig(env) });
const webhook = webhookConfig(env);

export default workerDoor(
  "submit-videos",
  { stage: "submit", gatherMs: 250 },
  (tools) =>
    submitAll(tools, providers, (provider) =>
      rhymeTaskBuilder({
        models: modelsOf(provider),
        webhook,
        functionName: `${provider}-webhook`,
      })),
);
