/** Being KIE for a moment: signing its callbacks, by another library than they are checked with. */
import { createHmac } from "node:crypto";

/** The headers of a callback about a task, signed with the console's key. */
export function kieSignatureHeaders(
  { taskId, key, at }: {
    readonly taskId: string;
    readonly key: string;
    /** When it was signed, in epoch milliseconds. */
    readonly at: number;
  },
): Record<string, string> {
  const timestamp = String(Math.floor(at / 1_000));
  const mac = createHmac("sha256", key).update(`${taskId}.${timestamp}`).digest("base64");
  return { "x-webhook-timestamp": timestamp, "x-webhook-signature": mac };
}
