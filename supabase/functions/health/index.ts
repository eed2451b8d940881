/** GET, operator (any secret key): the state of the system. */
import { health } from "../../../shared/doors/health.ts";
import { secretDoor } from "../../../shared/http/door.ts";
import { createProviders } from "../../../shared/providers/registry.ts";
import { env } from "../../../shared/runtime.ts";
import { versions } from "../../../shared/version.ts";

const providers = await createProviders(env);

export default secretDoor(
  "health",
  ["GET"],
  "*",
  (_request, visit) => health(visit, { providers, versions }),
);
