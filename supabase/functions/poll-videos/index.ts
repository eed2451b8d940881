/** POST, cron: asks providers about videos that are due and settles their answers. */
import { webhookConfig } from "../../../shared/config.ts";
import { workerDoor } from "../../../shared/http/worker_door.ts";
import { createProviders } from "../../../shared/providers/registry.ts";
import { env } from "../../../shared/runtime.ts";
import { pollAll } from "../../../shared/stages/poll.ts";

const providers = await createProviders(env);
const webhooks = webhookConfig(env).baseUrl === undefined ? "off" : "on";

export default workerDoor(
  "poll-videos",
  { stage: "poll", gatherMs: 100, lanes: 2 },
  (tools) => pollAll(tools, providers, { webhooks }),
);
