/** A push service as browsers have them, and the browsers behind it. */
import { importJWK, jwtVerify } from "jose";
import { createECDH } from "node:crypto";
import { Buffer } from "node:buffer";
import type { IncomingHttpHeaders } from "node:http";
import { z } from "zod";
import { Browser } from "./browser.ts";
import type { Reply } from "./faults.ts";
import type { Inbox } from "./inbox.ts";

/** A subscription as the page gets it. */
export interface Subscription {
  readonly endpoint: string;
  readonly keys: { readonly p256dh: string; readonly auth: string };
}

const payload = z.object({
  id: z.guid(),
  tag: z.string(),
  title: z.string(),
  body: z.string(),
  image: z.url().nullable(),
  data: z.record(z.string(), z.unknown()),
});

function readAs(browser: Browser, body: Uint8Array): z.infer<typeof payload> | undefined {
  try {
    return payload.parse(JSON.parse(browser.read(body)));
  } catch {
    return undefined;
  }
}

/** Who is to be believed, and who has subscribed. */
export class PushServiceSandbox {
  readonly publicKey: string;
  readonly privateKey: string;
  #browsers = new Map<string, Browser>();

  constructor(private readonly inbox: Inbox) {
    const ecdh = createECDH("prime256v1");
    ecdh.generateKeys();
    this.publicKey = ecdh.getPublicKey("base64url");
    // Leading zeros are dropped by Node and wanted by everybody else.
    this.privateKey = Buffer.from(ecdh.getPrivateKey("hex").padStart(64, "0"), "hex")
      .toString("base64url");
  }

  /** A browser subscribes. */
  subscribe(url: string): Subscription {
    const browser = new Browser();
    const endpoint = `${url}/push/${crypto.randomUUID()}`;
    this.#browsers.set(endpoint, browser);
    return { endpoint, keys: browser.keys };
  }

  /** The person took the permission back. */
  unsubscribe(endpoint: string): void {
    this.#browsers.delete(endpoint);
  }

  /** `POST /push/…`. */
  async send(endpoint: string, headers: IncomingHttpHeaders, body: Uint8Array): Promise<Reply> {
    const origin = new URL(endpoint).origin;
    if (!await this.#isSigned(headers.authorization ?? "", origin)) return { status: 403 };
    if (headers["ttl"] === undefined || headers["content-encoding"] !== "aes128gcm") {
      return { status: 400 };
    }
    if (!/^[\w-]{1,32}$/.test(String(headers["topic"]))) return { status: 400 };
    if (body.length > 4_096) return { status: 413 };
    const browser = this.#browsers.get(endpoint);
    if (browser === undefined) return { status: 410 };
    const message = readAs(browser, body);
    // A push service cannot look into it: it is taken, and the browser drops what it cannot open.
    if (message === undefined) return { status: 201 };
    const { tag, title, body: text, image, data } = message;
    this.inbox.received.push({
      ...{ place: "web_push", to: endpoint, sameAs: tag },
      ...{ title, body: text, image, data },
    });
    return { status: 201 };
  }

  /** VAPID, RFC 8292: a JWT for this service, by the key that the subscription was made for. */
  async #isSigned(authorization: string, audience: string): Promise<boolean> {
    const [, token = "", key = ""] = /^vapid t=([^,]+), ?k=(\S+)$/.exec(authorization) ?? [];
    if (key !== this.publicKey) return false;
    const point = Buffer.from(key, "base64url");
    const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) =>
      half.toString("base64url")
    );
    try {
      const jwk = await importJWK({ kty: "EC", crv: "P-256", x: x ?? "", y: y ?? "" }, "ES256");
      const verified = await jwtVerify(token, jwk, { audience });
      return verified.payload.sub !== undefined && verified.payload.exp !== undefined;
    } catch {
      return false;
    }
  }
}
