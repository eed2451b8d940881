/** POST, KIE: a task ended. Token and signature are checked here, not by the platform. */
import { kieWebhookKey, webhookConfig } from "../../../shared/config.ts";
import { eventRecorder } from "../../../shared/doors/provider_events.ts";
import { providerWebhook } from "../../../shared/doors/provider_webhook.ts";
import { adminClient } from "../../../shared/http/admin_client.ts";
import { plainDoor } from "../../../shared/http/plain_door.ts";
import { isSignedByKie } from "../../../shared/providers/kie/signature.ts";
import { parseKieCallback } from "../../../shared/providers/kie/webhook.ts";
import { env } from "../../../shared/runtime.ts";

// Read at start: without a secret, or with one too short, this function does not come up at all,
// rather than open.
const webhook = webhookConfig(env);
// There once a webhook key was made in KIE's console; then every callback must bear its signature.
const key = kieWebhookKey(env);

const record = eventRecorder("kie", adminClient);

export default plainDoor(
  "kie-webhook",
  ["POST"],
  (request, visit) =>
    providerWebhook(request, visit, {
      webhook,
      record,
      tasksIn: parseKieCallback,
      ...(key === undefined ? {} : {
        isSigned: (headers, body) => isSignedByKie({ headers, body, key, now: Date.now() }),
      }),
    }),
);
