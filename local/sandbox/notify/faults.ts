import type { ServerResponse } from "node:http";
import { z } from "zod";

/** The places that a notification can be sent to, and Google's door before one of them. */
export const place = z.enum(["fcm", "token", "web_push", "webhook"]);
export type Place = z.infer<typeof place>;

/**
 * What the next requests meet. `status`: refused with this status, as the service would word it.
 * `lostAnswer`: taken, and the connection closed without a word. `slow`: taken, answered late.
 */
export const fault = z.discriminatedUnion("fault", [
  z.object({
    fault: z.literal("status"),
    status: z.number().int().min(300).max(599),
    retryAfter: z.string().optional(),
  }),
  z.object({ fault: z.literal("lostAnswer") }),
  z.object({ fault: z.literal("slow"), milliseconds: z.number().int().min(0).max(60_000) }),
]);
export type Fault = z.infer<typeof fault>;

/** Faults that wait for a request, by place, first come first served. */
export class Faults {
  #waiting = new Map<Place, Fault[]>();

  add(at: Place, fault: Fault, times = 1): void {
    const list = this.#waiting.get(at) ?? [];
    this.#waiting.set(at, [...list, ...Array.from({ length: times }, () => fault)]);
  }

  take(at: Place): Fault | undefined {
    return this.#waiting.get(at)?.shift();
  }

  clear(): void {
    this.#waiting.clear();
  }
}

/** An answer. */
export interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends an answer as JSON. */
export function sendReply(response: ServerResponse, { status, body, headers = {} }: Reply): void {
  const text = body === undefined ? "" : JSON.stringify(body);
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(text);
}
