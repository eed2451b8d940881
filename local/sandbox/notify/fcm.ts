/** Google's token endpoint, and FCM's HTTP v1. */
import { exportPKCS8, generateKeyPair, jwtVerify } from "jose";
import { z } from "zod";
import { parseJson } from "../../json.ts";
import type { Reply } from "./faults.ts";
import type { Inbox } from "./inbox.ts";

const PROJECT = "gemreel-sandbox";
const EMAIL = `sender@${PROJECT}.iam.example.com`;
const SCOPE = "https://www.googleapis.com/auth/firebase.messaging";
const FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError";

/** The path of the one call there is. */
export const SEND_PATH = `/v1/projects/${PROJECT}/messages:send`;

const words = z.object({
  title: z.string(),
  body: z.string(),
  image: z.url().optional(),
});
const request = z.strictObject({
  message: z.strictObject({
    token: z.string().min(1),
    notification: words,
    data: z.record(z.string().regex(/^(?!from$|message_type$|google\.|gcm\.)/), z.string()),
    android: z.strictObject({
      priority: z.enum(["NORMAL", "HIGH"]),
      ttl: z.string().regex(/^\d+s$/),
      notification: z.strictObject({ tag: z.string() }),
    }),
    apns: z.strictObject({
      // Apple takes 64 bytes.
      headers: z.strictObject({
        "apns-collapse-id": z.string().max(64),
        "apns-expiration": z.string().regex(/^\d+$/),
      }),
      payload: z.strictObject({ aps: z.record(z.string(), z.unknown()) }),
      fcm_options: z.strictObject({ image: z.url() }).optional(),
    }),
  }),
});

// Made once a process: it takes a tenth of a second, which every stack of a test run would pay.
let keys: ReturnType<typeof generateKeyPair> | undefined;

/** A Firebase project that exists here only. */
export class FcmSandbox {
  /** Tokens of devices that have unregistered. */
  readonly unregistered = new Set<string>();
  /** Tokens that phones got from another Firebase project. */
  readonly elsewhere = new Set<string>();
  #access = new Set<string>();
  #tokens = 0;

  constructor(private readonly inbox: Inbox) {}

  /** The key file of a service account that may send. */
  async serviceAccount(url: string): Promise<string> {
    keys ??= generateKeyPair("RS256", { extractable: true });
    const { privateKey } = await keys;
    return JSON.stringify({
      type: "service_account",
      project_id: PROJECT,
      client_email: EMAIL,
      private_key: await exportPKCS8(privateKey),
      token_uri: `${url}/token`,
    });
  }

  /** How many access tokens were asked for. */
  get tokensGranted(): number {
    return this.#tokens;
  }

  /** Refuses every token that was granted so far. */
  revokeTokens(): void {
    this.#access.clear();
  }

  /** `POST /token`. */
  async grant(form: string, url: string): Promise<Reply> {
    const fields = new URLSearchParams(form);
    try {
      if (fields.get("grant_type") !== "urn:ietf:params:oauth:grant-type:jwt-bearer") throw form;
      const { publicKey } = await (keys ??= generateKeyPair("RS256", { extractable: true }));
      const { payload } = await jwtVerify(fields.get("assertion") ?? "", publicKey, {
        issuer: EMAIL,
        audience: `${url}/token`,
        maxTokenAge: "1h",
      });
      if (payload["scope"] !== SCOPE) throw payload;
    } catch {
      return { status: 400, body: { error: "invalid_grant", error_description: "Bad assertion" } };
    }
    const token = `ya29.sandbox-${++this.#tokens}`;
    this.#access.add(token);
    return { status: 200, body: { access_token: token, expires_in: 3_599, token_type: "Bearer" } };
  }

  /** `POST /v1/projects/…/messages:send`. */
  send(authorization: string, body: string): Reply {
    const bearer = /^Bearer (.+)$/.exec(authorization)?.[1] ?? "";
    if (!this.#access.has(bearer)) return failure(401, "UNAUTHENTICATED");
    const parsed = request.safeParse(parseJson(body));
    if (!parsed.success) return failure(400, "INVALID_ARGUMENT");
    const { token, notification, data, android } = parsed.data.message;
    if (token.startsWith("malformed")) return malformedToken();
    if (this.unregistered.has(token)) return failure(404, "NOT_FOUND", "UNREGISTERED");
    if (this.elsewhere.has(token)) return failure(403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH");
    const { title, body: text, image = null } = notification;
    this.inbox.received.push({
      ...{ place: "fcm", to: token, sameAs: android.notification.tag },
      ...{ title, body: text, image, data },
    });
    const id = this.inbox.received.length;
    return { status: 200, body: { name: `projects/${PROJECT}/messages/0:${id}` } };
  }
}

/** An error as FCM words it. */
export function failure(status: number, word: string, errorCode?: string): Reply {
  const details = errorCode === undefined ? [] : [{ "@type": FCM_ERROR, errorCode }];
  return {
    status,
    body: { error: { code: status, message: "The sandbox refuses", status: word, details } },
  };
}

function malformedToken(): Reply {
  const message = "The registration token is not a valid FCM registration token";
  const details = [{ "@type": FCM_ERROR, errorCode: "INVALID_ARGUMENT" }];
  return {
    status: 400,
    body: { error: { code: 400, message, status: "INVALID_ARGUMENT", details } },
  };
}
