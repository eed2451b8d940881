/** POST, cron: asks providers about videos that are due and settles their answers. */
import { runwareConfig } from "../../../shared/config.ts";
import { workerDoor } from "../../../shared/http/worker_door.ts";
import { createProviders } from "../../../shared/providers/registry.ts";
import { env } from "../../../shared/runtime.ts";
import { pollAll } from "../../../shared/stages/poll.ts";

const providers = createProviders({ runware: runwareConfig(env) });

export default workerDoor(
  "poll-videos",
  { stage: "poll", gatherMs: 100 },
  (tools) => pollAll(tools, providers),
);
