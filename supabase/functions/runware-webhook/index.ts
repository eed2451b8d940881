/** POST, Runware: a task ended. The token in the URL is checked here, not by the platform. */
import { webhookConfig } from "../../../shared/config.ts";
import { providerWebhook } from "../../../shared/doors/provider_webhook.ts";
import { webhookDoor } from "../../../shared/http/webhook_door.ts";
import { env } from "../../../shared/runtime.ts";

// Read at start: without a secret this function does not come up at all, rather than open.
const webhook = webhookConfig(env);

export default webhookDoor(
  "runware-webhook",
  (request, visit) => providerWebhook(request, visit, { provider: "runware", webhook }),
);
