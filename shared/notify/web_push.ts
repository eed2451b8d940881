/**
 * Web Push (RFC 8030, 8291, 8292): browsers and installed web apps.
 *
 * A push service takes no id of ours. Its `Topic` has a second message take the place of the first while
 * the browser is away; after that the page's service worker does, by the `tag` in the payload.
 */
import webPush from "web-push";
import { isLoopback } from "../config.ts";
import { type Channel, KEPT_SECONDS, type Message, tagOf } from "./channel.ts";
import { outcomeOf, post } from "./request.ts";

/** Who we are to push services. */
export interface VapidSettings {
  /** base64url, as `web-push generate-vapid-keys` prints them. */
  readonly publicKey: string;
  readonly privateKey: string;
  /** `mailto:` or `https:`, where a push service finds us. */
  readonly subject: string;
}

/** Who we are, and which push services we speak to. */
export interface WebPushOptions extends VapidSettings {
  /** Hosts that endpoints may be at, with port where it is not the scheme's own; "*." for any below. */
  readonly hosts?: readonly string[];
}

/** The push services of Chrome, of Chromium that Google did not build, of Firefox, Safari and Edge. */
export const PUSH_HOSTS = [
  "fcm.googleapis.com",
  "jmt17.google.com",
  "updates.push.services.mozilla.com",
  "web.push.apple.com",
  "*.push.apple.com",
  "*.notify.windows.com",
] as const;

/** How bodies are encrypted: RFC 8188. */
const ENCODING = "aes128gcm";

/** Sends, encrypted for the browser, to its push service. Endpoints come from users: the hosts are a wall. */
export function webPushChannel({ hosts = PUSH_HOSTS, ...vapid }: WebPushOptions): Channel {
  return async (message) => {
    const { address, keys } = message;
    if (address === null || keys === null || !isAllowed(address, hosts)) {
      // Not gone: our list may be too short, and then no browser of a kind would be left.
      return { outcome: "refused", code: "endpoint_not_allowed" };
    }
    const body = encrypted(webPushPayload(message), keys);
    if (body === null) return { outcome: "gone", code: "invalid_keys" };
    const authorization = signed(address, vapid);
    // Our own settings are at fault, not the device.
    if (authorization === null) return { outcome: "later", code: "vapid_unusable" };
    const answer = await post(address, { headers: headersOf(message, authorization), body });
    if (answer.status === 404 || answer.status === 410) {
      return { outcome: "gone", code: `http_${answer.status}` };
    }
    return outcomeOf(answer);
  };
}

/** Null where a key is no point on the curve: nobody can read what would be encrypted for it. */
function encrypted(
  payload: string,
  { p256dh, auth }: NonNullable<Message["keys"]>,
): Uint8Array<ArrayBuffer> | null {
  try {
    return new Uint8Array(webPush.encrypt(p256dh, auth, payload, ENCODING).cipherText);
  } catch {
    return null;
  }
}

function signed(endpoint: string, vapid: VapidSettings): string | null {
  try {
    return vapidAuthorization(new URL(endpoint).origin, vapid);
  } catch {
    return null;
  }
}

/** The Authorization header for a push service. Throws where the settings cannot be used. */
export function vapidAuthorization(
  origin: string,
  { subject, publicKey, privateKey }: VapidSettings,
): string {
  return webPush.getVapidHeaders(origin, subject, publicKey, privateKey, ENCODING).Authorization;
}

function headersOf(message: Message, authorization: string): Record<string, string> {
  return {
    authorization,
    "content-type": "application/octet-stream",
    "content-encoding": ENCODING,
    ttl: String(KEPT_SECONDS),
    urgency: "normal",
    topic: topicOf(message),
  };
}

/** What the page's service worker gets, as JSON. */
function webPushPayload(message: Message): string {
  const { id, title, body, imageUrl, data } = message;
  return JSON.stringify({ id, tag: tagOf(message), title, body, image: imageUrl, data });
}

/** At most 32 characters of base64url: the video's id, and a letter for the kind in place of one digit. */
function topicOf({ kind, videoId }: Message): string {
  return `${kind === "video_ready" ? "r" : "f"}${videoId.replaceAll("-", "").slice(1)}`;
}

function isAllowed(endpoint: string, hosts: readonly string[]): boolean {
  if (!URL.canParse(endpoint)) return false;
  const url = new URL(endpoint);
  const { protocol, host } = url;
  return (protocol === "https:" || (protocol === "http:" && isLoopback(url))) &&
    url.username === "" && url.password === "" &&
    hosts.some((one) => one.startsWith("*.") ? host.endsWith(one.slice(1)) : host === one);
}
