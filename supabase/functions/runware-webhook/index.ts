/** POST, Runware: a task ended. The token in the URL is checked here, not by the platform. */
import { webhookConfig } from "../../../shared/config.ts";
import { eventRecorder } from "../../../shared/doors/provider_events.ts";
import { providerWebhook } from "../../../shared/doors/provider_webhook.ts";
import { adminClient } from "../../../shared/http/admin_client.ts";
import { plainDoor } from "../../../shared/http/plain_door.ts";
import { env } from "../../../shared/runtime.ts";

// Read at start: without a secret this function does not come up at all, rather than open.
const webhook = webhookConfig(env);
const record = eventRecorder("runware", adminClient);

export default plainDoor(
  "runware-webhook",
  ["POST"],
  (request, visit) => providerWebhook(request, visit, { webhook, record }),
);
