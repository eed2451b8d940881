/** The door of a provider's webhook, which checks its callers by a token of its own. */
import { type AdminClient, adminClient } from "./admin_client.ts";
import { type EdgeFunction, type Handler, plainDoor, type PlainVisit } from "./plain_door.ts";

/** A visit of a provider. */
export interface WebhookVisit extends PlainVisit {
  /** The service role's client. */
  readonly admin: () => Pick<AdminClient, "rpc">;
}

/** Makes the edge function that takes a provider's webhooks. */
export function webhookDoor(name: string, handler: Handler<WebhookVisit>): EdgeFunction {
  return plainDoor(
    name,
    ["POST"],
    (request, visit) => handler(request, { ...visit, admin: adminClient }),
  );
}
