/** The app's own backend: takes signed webhooks, each id once. */
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { Webhook } from "standardwebhooks";
import { z } from "zod";
import type { Reply } from "./faults.ts";
import type { Inbox } from "./inbox.ts";

const event = z.object({
  type: z.enum(["video.ready", "video.failed"]),
  timestamp: z.iso.datetime(),
  data: z.looseObject({
    video_id: z.guid(),
    user_id: z.guid(),
    title: z.string(),
    body: z.string(),
    image_url: z.url().nullable(),
  }),
});

/** Believes what the `standardwebhooks` package believes. */
export class BackendSandbox {
  readonly secret = `whsec_${Buffer.from(randomBytes(32)).toString("base64")}`;
  #webhook = new Webhook(this.secret);

  constructor(private readonly inbox: Inbox) {}

  /** `POST /app-backend`. */
  receive(headers: IncomingHttpHeaders, body: string): Reply {
    let verified;
    try {
      verified = event.parse(
        this.#webhook.verify(body, z.record(z.string(), z.string()).parse(headers)),
      );
    } catch {
      return { status: 400 };
    }
    const { title, body: text, image_url: image, ...data } = verified.data;
    this.inbox.received.push({
      ...{ place: "webhook", to: "app-backend", sameAs: String(headers["webhook-id"]) },
      ...{ title, body: text, image, data: { ...data, type: verified.type } },
    });
    return { status: 204 };
  }
}
