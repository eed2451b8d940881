/** GET, operator (any secret key): how the system is. */
import { runwareConfig } from "../../../shared/config.ts";
import { health } from "../../../shared/doors/health.ts";
import { secretDoor } from "../../../shared/http/door.ts";
import { createProviders } from "../../../shared/providers/registry.ts";
import { env } from "../../../shared/runtime.ts";
import { versions } from "../../../shared/version.ts";

const providers = createProviders({ runware: runwareConfig(env) });

export default secretDoor(
  "health",
  ["GET"],
  "*",
  (_request, visit) => health(visit, { providers, versions }),
);
