/** POST, Runware: a task ended. The token in the URL is checked here, not by the platform. */
import { webhookConfig } from "../../../shared/config.ts";
import { providerWebhook } from "../../../shared/doors/provider_webhook.ts";
import { openDoor } from "../../../shared/http/door.ts";
import { env } from "../../../shared/runtime.ts";

// Read at start: without a secret this function does not come up at all, rather than open.
const webhook = webhookConfig(env);

export default openDoor(
  "runware-webhook",
  ["POST"],
  (request, visit) => providerWebhook(request, visit, { provider: "runware", webhook }),
);
